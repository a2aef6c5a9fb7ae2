package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/internal/membership"
	"github.com/rejoin-db/rejoin/harness/target"
)

const removed = "removed"

// Add starts a new node and adds it to the cluster: first as a nonvoter, and if voter is true, as a voter once it has
// caught up. If that fails, the node is removed, except that its name may be left among the nonvoters.
func (c *Cluster) Add(ctx context.Context, voter bool) (_ target.Node, err error) {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	made, err := c.newNodes(ctx, 1, voter)
	if err != nil {
		return nil, fmt.Errorf("add a node: %w", err)
	}
	n := made[0]
	c.mu.Lock()
	c.joining = n
	for _, other := range c.nodes {
		other.pending.hosts = append(other.pending.hosts, n.host())
	}
	all := c.allEndsLocked()
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.joining = nil
		if err == nil {
			c.nodes = append(c.nodes, n)
		}
		c.mu.Unlock()
		if err != nil {
			err = errors.Join(fmt.Errorf("add node %s: %w", n.id, err), c.discard(n))
		}
	}()
	if err := c.tell(ctx, all); err != nil {
		return nil, err
	}
	if err := n.lockAndStart(ctx); err != nil {
		return nil, err
	}
	if err := c.addMember(ctx, n); err != nil {
		return nil, err
	}
	return n, nil
}

// Remove removes the node from the cluster and kills it.
func (c *Cluster) Remove(ctx context.Context, node int) error {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return err
	}
	defer leave()
	n, err := c.node(node)
	if err != nil {
		return err
	}
	if err := c.removeMember(ctx, n); err != nil {
		return err
	}
	if err := n.changing.Lock(ctx); err != nil {
		return fmt.Errorf("end node %s: %w", n.id, err)
	}
	defer n.changing.Unlock()
	if err := n.crash(ctx, removed); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.removed, n.reason = true, removed
	c.links.Forget(n.id)
	return nil
}

// Replace removes a node that is down from the cluster, empties its disk, starts it, and adds it again with the same name
// and address.
func (c *Cluster) Replace(ctx context.Context, node int) error {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return err
	}
	defer leave()
	n, err := c.node(node)
	if err != nil {
		return err
	}
	c.mu.Lock()
	state, gone := n.state, n.removed
	c.mu.Unlock()
	switch {
	case gone:
		return fmt.Errorf("replace node %s: it was removed from the cluster", n.id)
	case state != down:
		return fmt.Errorf("replace node %s: it is running", n.id)
	}
	if err := c.removeMember(ctx, n); err != nil {
		return fmt.Errorf("replace node %s: %w", n.id, err)
	}
	if err := n.empty(ctx); err != nil {
		return fmt.Errorf("empty the disk of node %s: %w", n.id, err)
	}
	if err := n.lockAndStart(ctx); err != nil {
		return err
	}
	return c.addMember(ctx, n)
}

// empty removes all files of a node that is down.
func (n *node) empty(ctx context.Context) error {
	entries, err := os.ReadDir(n.home.dir())
	errs := []error{err}
	for _, entry := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(n.home.dir(), entry.Name())))
	}
	return errors.Join(append(errs, n.home.refresh(ctx))...)
}

// changeMembers locks membership changes until leave is called. ctx also ends when the cluster closes.
func (c *Cluster) changeMembers(outer context.Context) (ctx context.Context, leave func(), err error) {
	if ctx, leave, err = c.life.Locked(outer, c.members); err != nil {
		return nil, nil, fmt.Errorf("wait for another membership change: %w", err)
	}
	return ctx, leave, nil
}

func (n *node) lockAndStart(ctx context.Context) error {
	if err := n.changing.Lock(ctx); err != nil {
		return fmt.Errorf("start node %s: %w", n.id, err)
	}
	defer n.changing.Unlock()
	return n.start(ctx)
}

// addMember adds a running node to the members, through the others.
func (c *Cluster) addMember(ctx context.Context, n *node) error {
	c.mu.Lock()
	voter := n.voter
	c.mu.Unlock()
	return membership.Add(ctx, c.othersThan(n), n, n.home.addr(), voter)
}

// removeMember removes a node from the members, through the others.
func (c *Cluster) removeMember(ctx context.Context, n *node) error {
	return membership.Remove(ctx, c.othersThan(n), n.id)
}

// othersThan returns all nodes except one.
func (c *Cluster) othersThan(n *node) []membership.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var others []membership.Node
	for _, other := range c.nodes {
		if other != n && !other.removed {
			others = append(others, other)
		}
	}
	return others
}

// AddMember asks the node directly, so that faults do not affect it.
func (n *node) AddMember(ctx context.Context, m embedded.Member) error {
	life, err := n.running()
	if err != nil {
		return err
	}
	return life.control.Inside.AddMember(ctx, m)
}

// RemoveMember asks the node directly, so that faults do not affect it.
func (n *node) RemoveMember(ctx context.Context, id string) error {
	life, err := n.running()
	if err != nil {
		return err
	}
	return life.control.Inside.RemoveMember(ctx, id)
}

// discard undoes newNode. The name is not used again.
func (c *Cluster) discard(n *node) error {
	n.changing.LockNow()
	err := n.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links.Forget(n.id)
	n.removed = true
	return err
}
