package harness

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// flag is what the harness wants of a node. The zero flag is online. Between
// online and offline lies the time in which the fault is made or lifted; nobody
// else may change the flag then, and nothing is routed to the node.
type flag int

const (
	online flag = iota
	goingOffline
	offline
	comingOnline
)

// IsNodeOnline reads the node's flag. It does not ask the node.
func (c *Cluster) IsNodeOnline(i int) (bool, error) {
	if _, err := c.Node(i); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flags[i] == online, nil
}

// TakeNodeOffline takes the flag down, and then cuts the node's links to its
// clients and to the other nodes: it keeps running, alone. Nothing is routed to
// it any more. It returns when the cut is in effect. Taking a node offline that
// is not online is ErrAlreadyOffline.
func (c *Cluster) TakeNodeOffline(ctx context.Context, i int) error {
	return c.change(i, online, goingOffline, offline, "take offline", func() error { return c.cluster.Isolate(ctx, i) })
}

// BringNodeOnline mends the node's links, and then puts the flag up. It returns
// at once: that the node has caught up, WaitForNodeOnline tells. Bringing back
// a node that is not offline is ErrAlreadyOnline.
func (c *Cluster) BringNodeOnline(ctx context.Context, i int) error {
	return c.change(i, offline, comingOnline, online, "bring online", func() error { return c.cluster.Rejoin(ctx, i) })
}

// change moves a flag from one rest to the other, with the fault between.
func (c *Cluster) change(i int, from, between, to flag, action string, fault func() error) error {
	node, err := c.Node(i)
	if err != nil {
		return err
	}
	end := c.journal.Begin(journal.Flag, i, "%s", action)
	err = c.move(i, from, between)
	if err == nil {
		rest := to
		if err = fault(); err != nil {
			rest = from
		}
		if moveErr := c.move(i, between, rest); moveErr != nil {
			panic(moveErr) // only the one who set between may leave it
		}
	}
	if err != nil {
		err = &NodeError{Node: i, ID: node.ID(), Action: action, Err: err}
	}
	end(err)
	return err
}

func (c *Cluster) move(i int, from, to flag) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flags[i] == from {
		c.flags[i] = to
		return nil
	}
	if from == online {
		return fmt.Errorf("the node is %w", ErrAlreadyOffline)
	}
	return fmt.Errorf("the node is %w", ErrAlreadyOnline)
}

// OnlineNodes are the nodes whose flag is up, in order.
func (c *Cluster) OnlineNodes() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.onlineLocked()
}

func (c *Cluster) onlineLocked() []*Node {
	var nodes []*Node
	for i, f := range c.flags {
		if f == online {
			nodes = append(nodes, c.nodes[i].Reading(c.reading))
		}
	}
	return nodes
}

// pick chooses one online node by chance.
func (c *Cluster) pick() (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := c.onlineLocked()
	if len(nodes) == 0 {
		return nil, ErrNoNodesOnline
	}
	return nodes[c.random.IntN(len(nodes))], nil
}
