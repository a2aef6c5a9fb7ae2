package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// membership is target.Membership.
type membership struct {
	target.Cluster
	c *cluster
}

func (m membership) Unwrap() target.Cluster { return m.Cluster }

// Add starts a node on a host of its own, and makes it a member.
func (m membership) Add(ctx context.Context, voter bool) (target.Node, error) {
	c := m.c
	ctx, leave, err := c.life.Locked(ctx, c.members)
	if err != nil {
		return nil, fmt.Errorf("add a node: %w", err)
	}
	defer leave()
	n, err := c.newNode(ctx, len(c.all()))
	if err != nil {
		return nil, fmt.Errorf("add a node: %w", err)
	}
	if c.skews {
		if err := prepareClocks(ctx, []*node{n}); err != nil {
			return nil, fmt.Errorf("add a node: %w", err)
		}
	}
	n.changing.LockNow()
	defer n.changing.Unlock()
	err = c.rewire(ctx, func() ([]linkChange, error) { return c.links.Add(n.id) })
	c.mu.Lock()
	n.joining, n.learner = true, !voter
	c.nodes = append(c.nodes, n)
	c.mu.Unlock()
	if err == nil {
		err = n.begin(ctx)
	}
	if err == nil {
		err = m.join(ctx, n, voter)
	}
	if err != nil {
		return nil, fmt.Errorf("add node %s: %w", n.id, err)
	}
	return n, nil
}

// Remove takes a node out of the members, and ends it.
func (m membership) Remove(ctx context.Context, node int) error {
	c := m.c
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if err := c.members.Lock(ctx); err != nil {
		return fmt.Errorf("remove node %s: %w", n.id, err)
	}
	defer c.members.Unlock()
	if err := m.leave(ctx, n); err != nil {
		return fmt.Errorf("remove node %s: %w", n.id, err)
	}
	c.mu.Lock()
	n.removed = true
	c.mu.Unlock()
	return n.crash(ctx, "removed")
}

// Replace gives a node that does not run an empty disk, and makes it a new member.
func (m membership) Replace(ctx context.Context, node int) error {
	c := m.c
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if err := c.members.Lock(ctx); err != nil {
		return fmt.Errorf("replace node %s: %w", n.id, err)
	}
	defer c.members.Unlock()
	if _, err := n.running(); err == nil {
		return fmt.Errorf("replace node %s: it runs", n.id)
	}
	err = n.crash(ctx, "crashed")
	if err == nil {
		err = m.leave(ctx, n)
	}
	if err == nil {
		err = n.wipe(ctx)
	}
	if err == nil {
		c.mu.Lock()
		n.joining = true
		c.mu.Unlock()
	}
	if err == nil {
		err = n.begin(ctx)
	}
	if err == nil {
		err = m.join(ctx, n, true)
	}
	if err != nil {
		return fmt.Errorf("replace node %s: %w", n.id, err)
	}
	return nil
}

// wipe empties the disk of a node.
func (n *node) wipe(ctx context.Context) error {
	entries, err := os.ReadDir(n.host.Dir())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(n.host.Dir(), entry.Name())); err != nil {
			return err
		}
	}
	n.cluster.mu.Lock()
	n.prepared = false
	n.cluster.mu.Unlock()
	return n.refresh(ctx)
}

func (m membership) join(ctx context.Context, n *node, voter bool) error {
	if m.c.database.Members.Join == nil {
		return nil
	}
	return m.ask(ctx, n, func(ctx context.Context, member *Node) error {
		return m.c.database.Members.Join(ctx, member, n.own(), voter)
	})
}

func (m membership) leave(ctx context.Context, n *node) error {
	return m.ask(ctx, n, func(ctx context.Context, member *Node) error {
		return m.c.database.Members.Leave(ctx, member, n.own())
	})
}

var errNoMember = errors.New("no other member runs")

// memberEvery is how long a round of members takes at least.
const memberEvery = 20 * time.Millisecond

// ask asks one member after the other, until one does it.
func (m membership) ask(ctx context.Context, but *node, do func(context.Context, *Node) error) error {
	tick := time.NewTicker(memberEvery)
	defer tick.Stop()
	for {
		last := errNoMember
		for _, n := range m.c.all() {
			if _, err := n.running(); n == but || err != nil || m.c.isPaused(n) {
				continue
			}
			if last = do(ctx, n.own()); last == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last: %w", context.Cause(ctx), last)
		case <-tick.C:
		}
	}
}
