package fakedb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Cluster is a running cluster. It is safe for concurrent use.
type Cluster struct {
	mu      sync.Mutex
	nodes   []*node
	links   map[link]*linkState
	leader  int // -1 before the first
	term    uint64
	log     []target.Request      // what is committed, from index 1
	answers map[string]remembered // by the IDs of requests
	roles   func(target.RoleChange)
	closed  bool
}

// remembered is a request with an ID, and its answer.
type remembered struct {
	sql    string
	answer []sqldb.Result
}

var (
	_ target.Cluster        = (*Cluster)(nil)
	_ target.Deduplicator   = (*Cluster)(nil)
	_ target.Digester       = (*Cluster)(nil)
	_ target.Starter        = (*Cluster)(nil)
	_ target.Pauser         = (*Cluster)(nil)
	_ target.LinkFaulter    = (*Cluster)(nil)
	_ target.DiskFaulter    = (*Cluster)(nil)
	_ target.ClockSetter    = (*Cluster)(nil)
	_ target.FaultInspector = (*Cluster)(nil)
	_ target.Membership     = (*Cluster)(nil)
	_ target.LogReader      = (*Cluster)(nil)
	_ target.FileLister     = (*Cluster)(nil)
	_ target.Diverger       = (*Cluster)(nil)
	_ target.RoleReporter   = (*Cluster)(nil)
	_ target.Transactor     = (*Cluster)(nil)
	_ target.Upgrader       = (*Cluster)(nil)
)

var errClosed = fmt.Errorf("the cluster: %w", net.ErrClosed)

// Nodes returns the nodes in the order in which they were added.
func (c *Cluster) Nodes() []target.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

// Say appends a line to the log output of a node.
func (c *Cluster) Say(node int, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[node].sayLocked(line)
}

// addLocked makes a node, which runs.
func (c *Cluster) addLocked(voter bool) (*node, error) {
	n := &node{cluster: c, index: len(c.nodes), voter: voter, version: newest}
	if err := n.wipe(); err != nil {
		return nil, err
	}
	n.beginLocked()
	c.nodes = append(c.nodes, n)
	return n, nil
}

// at returns a node, which must exist and not be removed, with the lock held until the returned function is called.
func (c *Cluster) at(ctx context.Context, i int, action string) (*node, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("%s node %d: %w", action, i, err)
	}
	c.mu.Lock()
	var err error
	switch {
	case c.closed:
		err = errClosed
	case i < 0 || i >= len(c.nodes):
		err = fmt.Errorf("the cluster has %d nodes", len(c.nodes))
	case c.nodes[i].removed:
		err = errors.New("it was removed from the cluster")
	}
	if err != nil {
		c.mu.Unlock()
		return nil, nil, fmt.Errorf("%s node %d: %w", action, i, err)
	}
	return c.nodes[i], func() { c.settleLocked(); c.mu.Unlock() }, nil
}

// Isolate cuts all links of a node.
func (c *Cluster) Isolate(ctx context.Context, node int) error { return c.isolate(ctx, node, true) }

// Rejoin restores the links that Isolate cut.
func (c *Cluster) Rejoin(ctx context.Context, node int) error { return c.isolate(ctx, node, false) }

func (c *Cluster) isolate(ctx context.Context, i int, isolated bool) error {
	n, leave, err := c.at(ctx, i, "isolate or rejoin")
	if err != nil {
		return err
	}
	defer leave()
	n.isolated = isolated
	return nil
}

// settleLocked elects a leader if there is none, and lets each node apply what it can.
func (c *Cluster) settleLocked() {
	if c.closed {
		return
	}
	if !c.leadsLocked(c.leader) {
		for i := range c.nodes {
			if c.leadsLocked(i) {
				c.leader = i
				c.term++
				c.nodes[i].led = append(c.nodes[i].led, c.term)
				c.nodes[i].sayLocked(fmt.Sprintf("leader in term %d", c.term))
				break
			}
		}
	}
	for i, n := range c.nodes {
		if n.runs() && c.leadsLocked(c.leader) && c.connectedLocked(i, c.leader) {
			n.catchUpLocked()
			n.noteLocked(c.term, c.nodes[c.leader].ID())
		} else if n.runs() {
			n.noteLocked(n.term, "")
		}
	}
}

// leadsLocked tells whether the node can lead: it reaches a quorum.
func (c *Cluster) leadsLocked(i int) bool {
	if i < 0 || !c.nodes[i].voter || !c.nodes[i].runs() {
		return false
	}
	voters, reached := 0, 0
	for j, n := range c.nodes {
		if !n.voter || n.removed {
			continue
		}
		voters++
		if n.runs() && c.connectedLocked(i, j) {
			reached++
		}
	}
	return reached > voters/2
}

// ledLocked returns the leader that the node reaches, if any.
func (c *Cluster) ledLocked(i int) (*node, bool) {
	c.settleLocked()
	if !c.leadsLocked(c.leader) || !c.connectedLocked(i, c.leader) {
		return nil, false
	}
	return c.nodes[c.leader], true
}

// slowestLocked is how long a sync takes on the slowest disk of the nodes that run, and an error if a quorum of the disks fail.
func (c *Cluster) slowestLocked() (slowest time.Duration, err error) {
	voters, sound := 0, 0
	for _, n := range c.nodes {
		if !n.voter || n.removed {
			continue
		}
		voters++
		if n.runs() && !n.disk.Full && !n.disk.Failing {
			sound++
			slowest = max(slowest, n.disk.Slow)
		}
	}
	if sound <= voters/2 {
		return 0, errors.New("no quorum can write to its disk")
	}
	return slowest, nil
}

// Close ends the cluster. Requests in progress return an error.
func (c *Cluster) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	var errs []error
	for _, n := range c.nodes {
		n.endLocked()
		errs = append(errs, n.state.close())
	}
	return errors.Join(errs...)
}

// link is a directed link.
type link struct{ from, to int }

// linkState is a link's rule, and what it has carried.
type linkState struct {
	rule  fault.Rule
	reset bool
	stats fault.LinkStats
}
