package check

import "github.com/rejoin-db/rejoin/harness/journal"

// OneLeader judges the roles that nodes reported: no two of them led in one term (Ongaro and
// Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, election
// safety).
func OneLeader(events []journal.Event) error { return oneLeaderRule.Judge(events).Err() }

var oneLeaderRule = Rule{"one leader a term", "No two nodes lead in one term.", judgeOneLeader}

func judgeOneLeader(h history, v *Verdict) {
	led := make(map[uint64]*journal.Event)
	for _, e := range h.events {
		if e.Kind != journal.Shown && e.Kind != journal.Role || e.State == nil || e.State.Role != "leader" {
			continue
		}
		v.Judged++
		switch first := led[e.State.Term]; {
		case first == nil:
			led[e.State.Term] = e
		case first.Node != e.Node:
			v.violate(h.violation("two leaders", []*journal.Event{first, e}, "nodes %d and %d both led in term %d", first.Node, e.Node,
				e.State.Term))
		}
	}
}
