package check

import "github.com/rejoin-db/rejoin/harness/journal"

// OneLeader judges what nodes showed of themselves: no two of them led in one term
// (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm",
// USENIX ATC 2014, election safety).
func OneLeader(events []journal.Event) error { return oneLeaderRule.Judge(events).Err() }

func judgeOneLeader(h history) error {
	led := make(map[uint64]*journal.Event)
	for _, e := range h.events {
		if e.Kind != journal.Shown || e.State == nil || e.State.Role != "leader" {
			continue
		}
		if first, taken := led[e.State.Term]; taken && first.Node != e.Node {
			return h.violation("two leaders", []*journal.Event{first, e}, "nodes %d and %d both led in term %d", first.Node, e.Node, e.State.Term)
		}
		led[e.State.Term] = e
	}
	if len(led) == 0 {
		return nothing("nobody was seen to lead")
	}
	return nil
}
