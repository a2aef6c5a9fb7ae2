package check

import "github.com/rejoin-db/rejoin/harness/journal"

// Counted judges counters (journal.Counter) that only grow: a strong read finds at
// least what had been added and acknowledged when it began, and at most what may
// have been added by its end. In the end every node finds all of it.
func Counted(events []journal.Event) error { return countedRule.Judge(events).Err() }

func judgeCounted(h history) error {
	operations := h.of(journal.Counter)
	if !happened(operations) {
		return nothing("nothing was counted")
	}
	reads := 0
	keys, steps := byKey(operations)
	for _, key := range keys {
		for _, s := range steps[key] {
			if s.Do != journal.Read || !s.knows() || !s.fresh() {
				continue
			}
			reads++
			least, most := bounds(steps[key], s)
			if got := s.Got; len(got) != 1 || got[0] < least || got[0] > most {
				return h.violation("miscounted", []*journal.Event{s.event},
					"%s was read as %v; what was acknowledged adds up to %d by then, and with all that may have been added to %d", key, got, least, most)
			}
		}
	}
	if reads == 0 {
		return nothing("no counter was read")
	}
	return nil
}

func bounds(steps []step, read step) (least, most int64) {
	for _, s := range steps {
		if s.Do != journal.Increment || s.was(journal.Failed) {
			continue
		}
		if s.was(journal.OK) && done(s, read) {
			least += s.Value
		}
		if read.event.Op.Final || !s.event.At.After(read.event.End()) {
			most += s.Value
		}
	}
	return least, most
}
