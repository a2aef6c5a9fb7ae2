package harness

import (
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// asking is what must not change while a node is asked what it has promised: a node
// that is being ended may show what it never made safe.
type asking struct {
	time  uint64
	turns int
	rests bool // it runs, and nobody is about to end or start it
}

func (c *Cluster) asking(i int) asking {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.members[i]
	return asking{c.monitor.Now(), m.turns, m.flag == online || m.flag == offline && m.mode == fault.Isolate}
}

func (c *Cluster) notePromises(node *Node, s target.Status, begun asking) {
	now := c.asking(node.index)
	if s.State == target.Offline || s.State == target.Failed || !begun.rests || now.turns != begun.turns {
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
