package check

import "github.com/rejoin-db/rejoin/harness/journal"

// OnlyOnce judges what only one can have (journal.Unique): of all who asked for a
// value at most one was told that it is theirs.
func OnlyOnce(events []journal.Event) error { return onlyOnceRule.Judge(events).Err() }

func judgeOnlyOnce(h history) error {
	operations := h.of(journal.Unique)
	if !happened(operations) {
		return nothing("nobody asked for what only one can have")
	}
	keys, steps := byKey(operations)
	for _, key := range keys {
		owner := make(map[int64]*journal.Event)
		for _, s := range steps[key] {
			if s.Do != journal.Insert || !s.was(journal.OK) {
				continue
			}
			if first, taken := owner[s.Value]; taken {
				return h.violation("taken twice", []*journal.Event{first, s.event}, "two clients were told that %d of %s is theirs", s.Value, key)
			}
			owner[s.Value] = s.event
		}
	}
	return nil
}
