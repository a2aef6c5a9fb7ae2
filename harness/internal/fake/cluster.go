package fake

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Cluster is a fake cluster. Its hooks may be set while nobody uses it; nil
// does nothing.
type Cluster struct {
	OnIsolate, OnRejoin func(ctx context.Context, node int) error
	OnClose             func() error
	OnDigest            func(ctx context.Context, node int) (index uint64, sum string, err error)
	OnRemembered        func(ctx context.Context, node int) (map[string]bool, error)

	memory int
	nodes  []*Node

	mu    sync.Mutex
	log   []string // IDs of the requests that were committed, from index 1
	calls []string
}

var _ target.Cluster = (*Cluster)(nil)

func newCluster(size, memory int) *Cluster {
	if memory == 0 {
		memory = 100
	}
	c := &Cluster{memory: memory, log: []string{"the first entry of the leader"}}
	for i := range size {
		c.nodes = append(c.nodes, &Node{cluster: c, index: i, applied: 1, answers: make(map[string]*Answer), remembered: make(map[string]bool)})
	}
	return c
}

// Nodes are the nodes, as the target's user sees them.
func (c *Cluster) Nodes() []target.Node {
	out := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		out[i] = n
	}
	return out
}

// Node is the node of that index, as the spec sees it.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Answers tells all nodes the answer to a statement.
func (c *Cluster) Answers(sql string, answer *Answer) {
	for _, n := range c.nodes {
		n.Answers(sql, answer)
	}
}

// Isolate cuts a node off.
func (c *Cluster) Isolate(ctx context.Context, node int) error {
	c.called("isolate %d", node)
	if c.OnIsolate != nil {
		if err := c.OnIsolate(ctx, node); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nodes[node].isolated = true
	return nil
}

// Rejoin mends what Isolate cut; the node catches up at once.
func (c *Cluster) Rejoin(ctx context.Context, node int) error {
	c.called("rejoin %d", node)
	if c.OnRejoin != nil {
		if err := c.OnRejoin(ctx, node); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[node]
	n.isolated = false
	for _, id := range c.log[n.applied:] {
		n.applyLocked(id)
	}
	return nil
}

// Close ends nothing, as nothing runs.
func (c *Cluster) Close() error {
	c.called("close")
	if c.OnClose != nil {
		return c.OnClose()
	}
	return nil
}

// Calls are the calls of Isolate, Rejoin and Close, in order, as in "isolate 1".
func (c *Cluster) Calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.calls...)
}

// Index is the log index that is committed.
func (c *Cluster) Index() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint64(len(c.log))
}

// Remembered are the IDs of the requests that a node has applied.
func (c *Cluster) Remembered(node int) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.nodes[node].remembered)
}

func (c *Cluster) called(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, fmt.Sprintf(format, args...))
}

// commit applies a request on all nodes that are not isolated.
func (c *Cluster) commit(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, id)
	for _, n := range c.nodes {
		if !n.isolated {
			n.applyLocked(id)
		}
	}
}
