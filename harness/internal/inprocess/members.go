package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/internal/membership"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Add starts a node and adds it to the cluster. If that fails, it removes the node.
func (c *Cluster) Add(ctx context.Context, voter bool) (target.Node, error) {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	node, err := c.newNode(voter)
	if err != nil {
		return nil, fmt.Errorf("add a node: %w", err)
	}
	node.meetClients(c.clients)
	others := c.members(nil)
	if err := node.start(nil); err != nil {
		return nil, errors.Join(err, c.discard(node))
	}
	if err := membership.Add(ctx, others, node, node.place().Addr(), voter); err != nil {
		away, cancel := context.WithTimeout(c.living, parting)
		defer cancel()
		return nil, errors.Join(err, membership.Remove(away, others, node.ID()), c.discard(node))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, node)
	return node, nil
}

// changeMembers locks membership changes until leave is called. ctx also ends when the cluster closes.
func (c *Cluster) changeMembers(outer context.Context) (ctx context.Context, leave func(), err error) {
	ctx, cancel := context.WithCancelCause(outer)
	stop := context.AfterFunc(c.living, func() { cancel(errClosed) })
	end := func() { stop(); cancel(context.Canceled) }
	if c.living.Err() != nil {
		end()
		return nil, nil, errClosed
	}
	if err := c.changing.Lock(ctx); err != nil {
		end()
		return nil, nil, err
	}
	return ctx, func() { c.changing.Unlock(); end() }, nil
}

// parting is the time to remove a node that could not be added.
const parting = 5 * time.Second

// Remove removes a node from the cluster and ends it.
func (c *Cluster) Remove(ctx context.Context, node int) error {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return err
	}
	defer leave()
	gone := c.node(node)
	if err := membership.Remove(ctx, c.members(gone), gone.ID()); err != nil {
		return err
	}
	return c.discard(gone)
}

// Replace empties the disk of a node that is down, and replaces the member by the empty node.
func (c *Cluster) Replace(ctx context.Context, node int) error {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return err
	}
	defer leave()
	n := c.node(node)
	if n.runs() {
		return fmt.Errorf("replace node %s: it is running", n.ID())
	}
	others := c.members(n)
	if err := membership.Remove(ctx, others, n.ID()); err != nil {
		return err
	}
	if err := n.wipe(); err != nil {
		return err
	}
	if err := n.start(nil); err != nil {
		return err
	}
	return membership.Add(ctx, others, n, n.place().Addr(), n.voter)
}

// members returns all nodes of the cluster except one.
func (c *Cluster) members(without *node) []membership.Node {
	var members []membership.Node
	for _, n := range c.all() {
		if n != without && n.gone() == nil {
			members = append(members, n)
		}
	}
	return members
}

// discard ends a node permanently and removes its files.
func (c *Cluster) discard(n *node) error {
	err := n.discard()
	rewired := c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) { w.Forget(n.place().Name()); return nil, nil })
	return errors.Join(err, rewired, os.RemoveAll(n.config.Dir))
}
