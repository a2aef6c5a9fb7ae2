package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster is a fake cluster. It is safe for concurrent use, but hooks must be set before calls that use them. A nil hook
// does nothing.
type Cluster struct {
	OnIsolate, OnRejoin func(ctx context.Context, node int) error
	OnClose             func() error
	OnDigest            func(ctx context.Context, node int) (index uint64, sum string, err error)
	OnRemembered        func(ctx context.Context, node int) (map[string]bool, error)
	// OnLog returns the log output of a node; nil says who it is.
	OnLog func(node int) string
	// OnCall receives each call except Close, in the format of Calls. Its error fails the call.
	OnCall func(ctx context.Context, call string) error

	memory int

	mu    sync.Mutex
	nodes []*Node
	log   []string // IDs of the committed requests, from index 1
	calls []string
}

var _ target.Cluster = (*Cluster)(nil)

func newCluster(size, memory int) *Cluster {
	if memory == 0 {
		memory = 100
	}
	c := &Cluster{memory: memory, log: []string{"the first entry of the leader"}}
	for range size {
		c.addLocked(true)
	}
	c.nodes[0].led = []uint64{2}
	return c
}

// addLocked adds a node and lets it catch up.
func (c *Cluster) addLocked(voter bool) *Node {
	n := &Node{
		cluster: c, index: len(c.nodes), voter: voter,
		answers: make(map[string]*Answer), remembered: make(map[string]bool),
	}
	n.catchUpLocked()
	c.nodes = append(c.nodes, n)
	return n
}

// Nodes returns the nodes, for the user of the target.
func (c *Cluster) Nodes() []target.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		out[i] = n
	}
	return out
}

// Node returns a node, for the spec that prepares it.
func (c *Cluster) Node(i int) *Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[i]
}

// Answers sets the answer of all nodes to a statement.
func (c *Cluster) Answers(sql string, answer *Answer) {
	c.mu.Lock()
	nodes := slices.Clone(c.nodes)
	c.mu.Unlock()
	for _, n := range nodes {
		n.Answers(sql, answer)
	}
}

// Isolate isolates a node.
func (c *Cluster) Isolate(ctx context.Context, node int) error {
	return c.change(ctx, node, "isolate", c.OnIsolate, func(n *Node) { n.isolated = true })
}

// Rejoin ends the isolation of a node, which catches up immediately.
func (c *Cluster) Rejoin(ctx context.Context, node int) error {
	return c.change(ctx, node, "rejoin", c.OnRejoin, func(n *Node) { n.isolated = false })
}

// Close calls OnClose. There is nothing to release.
func (c *Cluster) Close() error {
	c.record("close")
	if c.OnClose != nil {
		return c.OnClose()
	}
	return nil
}

// Calls returns all calls to the cluster so far, in order, for example "isolate 1".
func (c *Cluster) Calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

// Index returns the commit index.
func (c *Cluster) Index() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.log))
}

// Remembered returns the IDs of the requests that a node has applied.
func (c *Cluster) Remembered(node int) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.nodes[node].remembered)
}

// change applies do to a node, unless a hook fails. The node then catches up if it can reach the others.
func (c *Cluster) change(
	ctx context.Context, node int, verb string, hook func(context.Context, int) error, do func(*Node),
) error {
	if err := c.called(ctx, "%s %d", verb, node); err != nil {
		return err
	}
	if hook != nil {
		if err := hook(ctx, node); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	do(c.nodes[node])
	c.nodes[node].catchUpLocked()
	return nil
}

func (c *Cluster) called(ctx context.Context, format string, args ...any) error {
	call := fmt.Sprintf(format, args...)
	c.record(call)
	if c.OnCall != nil {
		return c.OnCall(ctx, call)
	}
	return nil
}

func (c *Cluster) record(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
}

// commit applies a request on all reachable nodes.
func (c *Cluster) commit(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, id)
	for _, n := range c.nodes {
		n.catchUpLocked()
	}
}
