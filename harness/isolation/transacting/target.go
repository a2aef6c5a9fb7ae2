//go:build cgo

package transacting

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Target boots clusters. Its fields must not change after the first Boot.
type Target struct {
	Flaw   Flaw
	Levels []target.Isolation // that are claimed; default target.Serializable
	Locks  bool               // one transaction after the other, with Flaw None
	// Latency is how long a statement of a transaction takes on its way, at most, so that transactions overlap.
	Latency time.Duration
}

// Boot makes a cluster of nodes n0, n1 and so on.
func (t *Target) Boot(_ context.Context, size int) (target.Cluster, error) {
	d, err := newDatabase(t.Flaw)
	if err != nil {
		return nil, err
	}
	c := &cluster{database: d, levels: t.Levels, latency: t.Latency}
	if c.levels == nil {
		c.levels = []target.Isolation{target.Serializable}
	}
	if t.Locks {
		c.lock = make(chan struct{}, 1)
	}
	for i := range size {
		c.nodes = append(c.nodes, &node{cluster: c, index: i})
	}
	return c, nil
}

type cluster struct {
	database *database
	levels   []target.Isolation
	lock     chan struct{} // full while a transaction is open; nil without locks
	latency  time.Duration
	nodes    []target.Node
}

var (
	_ target.Cluster    = (*cluster)(nil)
	_ target.Transactor = (*cluster)(nil)
	_ target.Declarer   = (*cluster)(nil)
)

func (c *cluster) Nodes() []target.Node { return c.nodes }

func (c *cluster) Declares() []target.Assumption {
	return []target.Assumption{target.SQLite, target.Namespaces, target.OwnWrites, target.ReadsAlone}
}

func (c *cluster) Isolate(_ context.Context, i int) error { return c.cut(i, true) }
func (c *cluster) Rejoin(_ context.Context, i int) error  { return c.cut(i, false) }

func (c *cluster) cut(i int, isolated bool) error {
	n := c.nodes[i].(*node)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.isolated = isolated
	return nil
}

func (c *cluster) Close() error { return c.database.close() }

func (c *cluster) Isolations() []target.Isolation { return c.levels }

func (c *cluster) Begin(ctx context.Context, i int, level target.Isolation) (target.Transaction, error) {
	n := c.nodes[i].(*node)
	if err := n.reachable(target.NotApplied); err != nil {
		return nil, err
	}
	if c.lock != nil {
		select {
		case c.lock <- struct{}{}:
		case <-ctx.Done():
			return nil, &target.Error{Node: n.ID(), Code: "LOCKED", Message: "another transaction is open", Outcome: target.NotApplied,
				Kind: target.ErrTimeout, Temporary: true, Cause: ctx.Err()}
		}
	}
	tx, err := c.database.begin(n)
	if err != nil && c.lock != nil {
		<-c.lock
	}
	return tx, err
}

// travel blocks for a random part of the latency, or until ctx ends.
func (c *cluster) travel(ctx context.Context) {
	if c.latency == 0 {
		return
	}
	timer := time.NewTimer(rand.N(c.latency))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// unlock lets the next transaction begin.
func (c *cluster) unlock() {
	if c.lock != nil {
		<-c.lock
	}
}

// node shows the database.
type node struct {
	cluster *cluster
	index   int

	mu       sync.Mutex
	isolated bool
}

func (n *node) ID() string         { return fmt.Sprintf("n%d", n.index) }
func (n *node) Client() target.SQL { return client{n} }
func (n *node) Inside() target.SQL { return inside{n} }

// reachable returns an error if the node is isolated.
func (n *node) reachable(outcome target.Outcome) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.isolated {
		return nil
	}
	return &target.Error{Node: n.ID(), Code: "UNREACHABLE", Message: "the node is isolated", Outcome: outcome,
		Kind: target.ErrUnreachable, Temporary: true}
}

func (n *node) Status(context.Context) (target.Status, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := target.Status{ID: n.ID(), State: target.Online, Role: "follower", Leader: "n0", Term: 1, Voter: true, LastContact: -1}
	s.CommitIndex = n.cluster.database.index()
	s.AppliedIndex = s.CommitIndex
	if n.index == 0 {
		s.Role, s.LedTerms = "leader", []uint64{1}
	}
	if n.isolated {
		s.State, s.Leader = target.Connecting, ""
	}
	return s, nil
}

type client struct{ *node }

func (c client) Query(_ context.Context, r target.Request) (target.Rows, error) {
	if err := c.reachable(target.NotApplied); err != nil {
		return nil, err
	}
	return c.cluster.database.execute(c.node, r)
}

type inside struct{ *node }

func (i inside) Query(_ context.Context, r target.Request) (target.Rows, error) {
	return i.cluster.database.execute(i.node, r)
}
