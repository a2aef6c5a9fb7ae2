package external

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/internal/speak"
)

// Cluster is the cluster while it is booted. It is safe for concurrent use: commands about one node run one at a time.
type Cluster struct {
	target  *Target
	nodes   []*node
	closing sync.Once
	closed  error
}

var (
	_ target.Cluster   = (*Cluster)(nil)
	_ target.Declarer  = (*Cluster)(nil)
	_ target.Named     = (*Cluster)(nil)
	_ target.Isolating = (*Cluster)(nil)
)

// cluster makes the cluster of the first nodes. It contacts none of them.
func (t *Target) cluster(size int) (*Cluster, error) {
	c := &Cluster{target: t}
	latest := ""
	if versions := t.about.Commands.Versions; len(versions) > 0 {
		latest = versions[len(versions)-1]
	}
	for i, about := range t.about.Nodes[:size] {
		if about.Inside == "" {
			about.Inside = about.Address
		}
		client, err := t.speak.Connect(about, about.Address, nil)
		if err != nil {
			return nil, errors.Join(err, c.disconnect())
		}
		inside, err := t.speak.Connect(about, about.Inside, nil)
		if err != nil {
			return nil, errors.Join(err, client.Close(), c.disconnect())
		}
		call := t.speak.Caller(about, about.Inside, nil)
		n := &node{cluster: c, index: i, about: about, inside: inside, gate: newGate(about.Name, client),
			asked: speak.Asked{Node: about, Call: call.Call, Inside: inside, Named: c.named}, changing: ctxmutex.New(), version: latest}
		n.closers = append(n.closers, client, inside, call)
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// begin resets the cluster, and waits until every node answers.
func (c *Cluster) begin(ctx context.Context) error {
	if reset, given := c.target.commands["reset"]; given {
		if _, err := reset.run(ctx, c.subject(-1), 0); err != nil {
			return err
		}
	}
	for _, n := range c.nodes {
		if err := n.answers(ctx); err != nil {
			return fmt.Errorf("%w%s", err, c.saying(ctx, n))
		}
	}
	places := make([]speak.Place, len(c.nodes))
	for i, n := range c.nodes {
		places[i] = speak.Place{Node: n.about, Address: n.about.Inside}
	}
	return c.target.speak.SetUp(ctx, places)
}

// answers blocks until the node answers.
func (n *node) answers(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	var seen error // the last one that is not about the end of ctx
	for {
		status, err := n.Status(ctx)
		if err == nil && status.State != target.Offline {
			return nil
		}
		if err == nil {
			err = errors.New(status.Reason)
		}
		if ctx.Err() == nil || seen == nil {
			seen = err
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("node %s does not answer: %w: %w", n.ID(), context.Cause(ctx), seen)
		}
	}
}

const pollInterval = 10 * time.Millisecond

// subject is what the template of a command sees; -1 is no node.
func (c *Cluster) subject(i int) described.Subject {
	s := described.Subject{Index: i, Size: len(c.nodes)}
	for _, n := range c.nodes {
		s.Nodes = append(s.Nodes, n.about)
		if n.index == i {
			s.Node, s.Version = n.about, n.runs()
		} else {
			s.Others = append(s.Others, n.about)
		}
	}
	return s
}

// runs returns the version that the node was given last; "" if there is only one.
func (n *node) runs() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.version
}

// named returns the ID of the node of that name or address; the text itself if there is none.
func (c *Cluster) named(text string) string {
	for _, n := range c.nodes {
		if text == n.about.Address || text == n.about.Inside {
			return n.ID()
		}
	}
	return text
}

// Name returns the name of the target.
func (c *Cluster) Name() string { return c.target.name }

// Declares returns what the description declares.
func (c *Cluster) Declares() []target.Assumption { return c.target.declares }

// Isolates tells whether there is a command that cuts a node off.
func (c *Cluster) Isolates() bool { return c.target.commands["cut"] != nil }

// Nodes returns the nodes in the order of the description.
func (c *Cluster) Nodes() []target.Node {
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

func (c *Cluster) node(i int) (*node, error) {
	if i < 0 || i >= len(c.nodes) {
		return nil, fmt.Errorf("there is no node %d: the cluster has %d", i, len(c.nodes))
	}
	return c.nodes[i], nil
}

// Isolate cuts the node from the clients, and then runs the command cut.
func (c *Cluster) Isolate(ctx context.Context, i int) error {
	n, err := c.node(i)
	if err != nil {
		return err
	}
	if !c.Isolates() {
		return n.run(ctx, "cut", nil, nil)
	}
	return n.locked(ctx, "cut", func(ctx context.Context) error {
		n.gate.set(false)
		if err := n.run(ctx, "cut", nil, func() { n.cut = true }); err != nil {
			n.gate.set(true)
			return err
		}
		return nil
	})
}

// Rejoin runs the command heal, and lets clients through again.
func (c *Cluster) Rejoin(ctx context.Context, i int) error {
	n, err := c.node(i)
	if err != nil {
		return err
	}
	return n.do(ctx, "heal", nil, func() {
		n.cut = false
		n.gate.set(true)
	})
}

// longestRepair bounds how long Close tries to bring one node back.
const longestRepair = 2 * time.Minute

// Close brings every node back that a command took away, closes all connections, and leaves the cluster running. Further
// calls return the same error.
func (c *Cluster) Close() error {
	c.closing.Do(func() {
		errs := make([]error, len(c.nodes))
		var wg sync.WaitGroup
		for i, n := range c.nodes {
			wg.Go(func() { errs[i] = n.repair() })
		}
		wg.Wait()
		c.closed = errors.Join(append(errs, c.disconnect())...)
		c.target.booted.Store(false)
	})
	return c.closed
}

// repair undoes what commands did to the node.
func (n *node) repair() error {
	ctx, cancel := context.WithTimeout(context.Background(), longestRepair)
	defer cancel()
	var errs []error
	n.mu.Lock()
	cut, away := n.cut, n.away
	n.mu.Unlock()
	if cut {
		errs = append(errs, n.cluster.Rejoin(ctx, n.index))
	}
	switch away {
	case "":
	case paused:
		errs = append(errs, pauser{n.cluster}.Resume(ctx, n.index))
	default:
		errs = append(errs, starter{n.cluster}.Start(ctx, n.index))
	}
	n.gate.set(false) // ends what is still asked
	return errors.Join(errs...)
}

func (c *Cluster) disconnect() error {
	var errs []error
	for _, n := range c.nodes {
		for _, closer := range n.closers {
			errs = append(errs, closer.Close())
		}
	}
	return errors.Join(errs...)
}
