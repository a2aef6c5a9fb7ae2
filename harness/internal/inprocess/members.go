package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/membership"
	"github.com/rejoin-db/rejoin/harness/internal/wiring"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Add starts a node and takes it into the cluster. If that fails nothing of the
// node is left.
func (c *Cluster) Add(ctx context.Context, voter bool) (target.Node, error) {
	if err := c.growing.Take(ctx); err != nil {
		return nil, err
	}
	defer c.growing.Pass()
	node, err := c.newNode(voter)
	if err != nil {
		return nil, fmt.Errorf("add a node: %w", err)
	}
	node.meetClients(c.clients)
	others := c.members(nil)
	if err := node.start(nil); err != nil {
		return nil, errors.Join(err, c.discard(node))
	}
	if err := membership.Add(ctx, others, node, node.host.Addr(), voter); err != nil {
		away, cancel := context.WithTimeout(context.WithoutCancel(ctx), parting)
		defer cancel()
		return nil, errors.Join(err, membership.Remove(away, others, node.ID()), c.discard(node))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes = append(c.nodes, node)
	return node, nil
}

// parting is how long a node that could not be taken in is given to be taken out.
const parting = 5 * time.Second

// Remove takes a node out of the cluster and ends it.
func (c *Cluster) Remove(ctx context.Context, node int) error {
	if err := c.growing.Take(ctx); err != nil {
		return err
	}
	defer c.growing.Pass()
	gone := c.node(node)
	if err := membership.Remove(ctx, c.members(gone), gone.ID()); err != nil {
		return err
	}
	return c.discard(gone)
}

// Replace gives a node a new disk, and takes it out of the cluster and in again.
func (c *Cluster) Replace(ctx context.Context, node int) error {
	if err := c.growing.Take(ctx); err != nil {
		return err
	}
	defer c.growing.Pass()
	n := c.node(node)
	if n.runs() {
		return fmt.Errorf("replace node %s: it runs", n.ID())
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
	return membership.Add(ctx, others, n, n.host.Addr(), n.voter)
}

// members are all nodes of the cluster without one.
func (c *Cluster) members(without *node) []membership.Node {
	var members []membership.Node
	for _, n := range c.all() {
		if n != without && !n.gone() {
			members = append(members, n)
		}
	}
	return members
}

// discard ends a node for good.
func (c *Cluster) discard(n *node) error {
	err := n.discard()
	rewired := c.rewire(func(w *wiring.Wiring) ([]wiring.Change, error) { w.Forget(n.ID()); return nil, nil })
	return errors.Join(err, rewired, os.RemoveAll(n.config.Dir))
}
