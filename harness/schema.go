package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// schema is the log index that nodes must have applied to know every acknowledged schema change.
type schema struct {
	mu      sync.Mutex
	index   uint64         // at or behind the latest acknowledged change; 0 if there was none
	applied map[int]uint64 // by node: the highest of those indexes it was seen to have applied
}

// acknowledge notes that the node had applied the index when it acknowledged a change.
func (s *schema) acknowledge(node int, index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.index = max(s.index, index)
	s.applied[node] = max(s.applied[node], index)
}

// wanted returns the index if the node is not known to have applied it; else 0.
func (s *schema) wanted(node int) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.applied[node] >= s.index {
		return 0
	}
	return s.index
}

func (s *schema) saw(node int, applied uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied[node] = max(s.applied[node], applied)
}

// forget is for a node that starts again, and may have to replay its log.
func (s *schema) forget(node int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.applied, node)
}

// changesSchema tells whether a request changes the schema. The nodes reject text that cannot
// be split.
func changesSchema(sql string) bool {
	statements, err := sqltext.Split(sql)
	return err == nil && slices.ContainsFunc(statements, sqltext.Statement.ChangesSchema)
}

// noteSchema notes that the node acknowledged a schema change. The node has applied the change
// itself; if it no longer answers, what any node knows to be committed includes the change.
// Later writes of rows do not move the index.
func (c *Cluster) noteSchema(ctx context.Context, node *Node) {
	ctx = context.WithoutCancel(ctx) // the answer may have arrived just before the deadline
	if status, err := node.probe(ctx); err == nil {
		c.schema.acknowledge(node.index, status.AppliedIndex)
		return
	}
	index, _ := committed(c.Observe(ctx))
	c.schema.acknowledge(node.index, index)
	c.schema.forget(node.index)
}

// awaitSchema blocks a local request until the node has applied the latest acknowledged schema
// change. A node that is offline, or does not report its status, is asked at once: its own
// error says more.
func (n *Node) awaitSchema(ctx context.Context) error {
	if n.reading != target.Local || n.inside || n.asIs {
		return nil
	}
	index := n.cluster.schema.wanted(n.index)
	if index == 0 {
		return nil
	}
	status, err := n.probe(ctx)
	if err != nil || status.State == target.Failed {
		return nil //nolint:nilerr // the request itself reports why
	}
	waiting, cancel := settling(ctx)
	defer cancel()
	purpose := fmt.Sprintf("to apply index %d, a schema change, before it is asked", index)
	seen, err := n.cluster.awaitApplied(waiting, Observation{Node: n, Status: status}, index, purpose)
	if err == nil && seen.runs() {
		n.cluster.schema.saw(n.index, seen.Status.AppliedIndex)
	}
	return err
}
