package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Converged judges digests of nodes (journal.State.Digest): all nodes have the same digest at the
// same log index, and at the end all members whose flags are up are at one index. The digests of a
// single node prove nothing.
func Converged(events []journal.Event) error { return convergedRule.Judge(events).Err() }

var convergedRule = Rule{"converged", "All nodes come to hold the same bytes.", judgeConverged}

func judgeConverged(h history, v *Verdict) {
	at := make(map[uint64]*journal.Event) // the first at each index
	last := make(map[int]*journal.Event)  // of each node
	digests := 0
	for _, e := range h.events {
		if e.Kind != journal.Check || e.State == nil || e.State.Digest == "" {
			continue
		}
		digests++
		last[e.Node] = e
		switch first := at[e.State.Applied]; {
		case first == nil:
			at[e.State.Applied] = e
		case first.State.Digest != e.State.Digest:
			v.violate(h.violation("diverged", []*journal.Event{first, e}, "nodes %d and %d hold different data at log index %d",
				first.Node, e.Node, e.State.Applied))
		}
	}
	if len(last) < 2 {
		if digests > 0 {
			v.leaveOut("digests of one node alone")
		}
		return
	}
	v.Judged = digests
	h.endAtOneIndex(last, v)
}

func (h history) endAtOneIndex(last map[int]*journal.Event, v *Verdict) {
	nodes := slices.DeleteFunc(sorted(last), func(node int) bool { return !h.present(node) })
	for i := 1; i < len(nodes); i++ {
		if a, b := last[nodes[0]], last[nodes[i]]; a.State.Applied != b.State.Applied {
			v.violate(h.violation("not converged", []*journal.Event{a, b}, "in the end node %d is at log index %d, and node %d at %d",
				nodes[0], a.State.Applied, nodes[i], b.State.Applied))
		}
	}
}

// present tells whether the node is a member at the end and its flag is up. A node that the history
// does not mention counts as present.
func (h history) present(node int) bool {
	member, online := true, true
	for _, e := range h.events {
		switch {
		case e.Err != "":
		case e.Members != nil:
			member = slices.Contains(e.Members.Voters, node) || slices.Contains(e.Members.NonVoters, node)
		case e.Flag != nil && e.Node == node:
			online = e.Flag.Online
		}
	}
	return member && online
}
