package harness

import (
	"context"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// operation begins to record a request. If ctx has an operation (journal.Open.Context), its owner
// records the event, and only the node is added here.
func (c *Cluster) operation(ctx context.Context, node int, id, sql string) (end func(error)) {
	if open := journal.FromContext(ctx); open != nil {
		open.Asked(node, id, sqltext.Abridged(sql))
		return func(error) {}
	}
	open := c.journal.Invoke(journal.Op{Client: journal.None, Mutates: mutates(sql)})
	open.Asked(node, id, sqltext.Abridged(sql))
	return func(err error) { open.End(OutcomeOf(err), nil, err) }
}

// mutates tells whether the SQL may change data. SQL that cannot be parsed may.
func mutates(sql string) bool {
	statements, err := sqltext.Split(sql)
	return err != nil || slices.ContainsFunc(statements, func(s sqltext.Statement) bool { return !s.Reads() })
}

// beginFlag begins to record a change of a flag.
func (c *Cluster) beginFlag(node int, change journal.FlagChange) (end func(error)) {
	return c.journal.BeginEvent(journal.Event{Kind: journal.Flag, Node: node, Flag: &change})
}

// membersNow returns the members of the cluster, for an event that changed them.
func (c *Cluster) membersNow() *journal.Members {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := &journal.Members{Voters: []int{}}
	for _, m := range c.members {
		switch {
		case m.flag == removed:
		case m.voter:
			now.Voters = append(now.Voters, m.node.index)
		default:
			now.NonVoters = append(now.NonVoters, m.node.index)
		}
	}
	return now
}

// OutcomeOf returns the outcome of a request with that error, in the journal's terms, for callers
// that record operations of their own. A change that was certainly applied is OK, even if its
// answer was lost.
func OutcomeOf(err error) journal.Outcome {
	switch target.OutcomeOf(err) {
	case target.Applied:
		return journal.OK
	case target.NotApplied:
		return journal.Failed
	case target.Unknown:
	}
	return journal.Unknown
}

// states has the last recorded state of each node.
type states struct {
	mu   sync.Mutex
	last map[int]journal.State
}

// noteState records a node's state if its health, role, leader or term differs from the last one.
func (c *Cluster) noteState(node int, s target.Status) {
	now := journal.State{Health: string(s.State), Role: s.Role, Leader: s.Leader, Term: s.Term}
	c.states.mu.Lock()
	last, seen := c.states.last[node]
	c.states.last[node] = now
	c.states.mu.Unlock()
	if seen && last == now {
		return
	}
	now.Commit, now.Applied = s.CommitIndex, s.AppliedIndex
	c.journal.Record(journal.Event{Kind: journal.Shown, Node: node, State: &now})
}

// noteDigest records the digest of a node.
func (c *Cluster) noteDigest(node int, index uint64, sum string, err error) {
	e := journal.Event{Kind: journal.Check, Node: node, Text: "digest", State: &journal.State{Applied: index, Digest: sum}}
	if err != nil {
		e.Err, e.State = err.Error(), nil
	}
	c.journal.Record(e)
}
