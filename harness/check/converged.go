package check

import "github.com/rejoin-db/rejoin/harness/journal"

// Converged judges what nodes were found to hold (journal.State.Digest): at one log
// index all hold the same, down to the bytes, and in the end all are at one index.
func Converged(events []journal.Event) error { return convergedRule.Judge(events).Err() }

func judgeConverged(h history) error {
	at := make(map[uint64]*journal.Event) // the first at each index
	last := make(map[int]*journal.Event)  // of each node
	for _, e := range h.events {
		if e.Kind != journal.Check || e.State == nil || e.State.Digest == "" {
			continue
		}
		if first, again := at[e.State.Applied]; !again {
			at[e.State.Applied] = e
		} else if first.State.Digest != e.State.Digest {
			return h.violation("diverged", []*journal.Event{first, e}, "nodes %d and %d hold different data at log index %d", first.Node, e.Node, e.State.Applied)
		}
		last[e.Node] = e
	}
	if len(last) == 0 {
		return nothing("no node was asked what it holds")
	}
	nodes := sorted(last)
	for _, node := range nodes[1:] {
		if a, b := last[nodes[0]], last[node]; a.State.Applied != b.State.Applied {
			return h.violation("not converged", []*journal.Event{a, b}, "in the end node %d is at log index %d, and node %d at %d", nodes[0], a.State.Applied, node, b.State.Applied)
		}
	}
	return nil
}
