package harness

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// note notes what a node showed when it was asked: for waits, for VerifyInvariants and in the
// journal.
func (c *Cluster) note(node *Node, s target.Status, begun asking) {
	if s.AppliedIndex > 0 {
		c.indexed.Store(true)
	}
	c.noteTerms(node, s.LedTerms)
	c.noteVote(node, s, begun)
	c.noteState(node.index, s)
}

// asking is what must not change while a node is asked for its vote: a node that is being
// stopped may show a vote that it never made durable.
type asking struct {
	time   uint64
	turns  int
	stable bool // the node runs, and is not being stopped or started
}

func (c *Cluster) asking(i int) asking {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.members[i]
	return asking{c.monitor.Now(), m.turns, m.flag == online || m.flag == offline && m.mode == fault.Isolate}
}

func (c *Cluster) noteVote(node *Node, s target.Status, begun asking) {
	now := c.asking(node.index)
	if s.State == target.Offline || s.State == target.Failed || !begun.stable || now.turns != begun.turns {
		return
	}
	if err := c.promises.Voted(node, s.Vote, begun.time); err != nil {
		c.journal.Record(journal.Event{Kind: journal.Check, Node: node.index, Text: "votes are kept", Err: err.Error()})
	}
}

func (c *Cluster) noteTerms(node *Node, led []uint64) {
	if err := c.promises.Led(node, led); err != nil {
		c.journal.Record(journal.Event{Kind: journal.Check, Node: node.index, Text: "one leader a term", Err: err.Error()})
	}
}
