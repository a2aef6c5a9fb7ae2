package check

import "github.com/rejoin-db/rejoin/harness/journal"

// OnlyOnce judges unique values (journal.Unique): at most one insert of a value was acknowledged, and
// some order of all inserts and strong or final reads explains the reads and fits real time. A
// failed insert proves nothing. The verdict is exact, or ErrUndecided beyond the bounds of the
// search.
func OnlyOnce(events []journal.Event) error { return onlyOnceRule.Judge(events).Err() }

func judgeOnlyOnce(h history, v *Verdict) {
	operations := h.of(journal.Unique)
	v.countUnobserved(operations)
	keys, steps := byKey(operations)
	for _, key := range keys {
		for _, s := range steps[key] {
			if s.event.Op.Final && s.event.Op.Changes() {
				v.refuse(invalid("a final operation changes something: %s", s.event))
				return
			}
		}
		twice := h.judgeOwners(v, key, steps[key])
		if h.judgeMembers(v, key, steps[key]) && !twice {
			h.judgeSet(v, "not linearizable", key, steps[key], perObject(len(keys)))
		}
	}
}

// judgeOwners reports values whose insert was acknowledged twice.
func (h history) judgeOwners(v *Verdict, key string, steps []step) (twice bool) {
	owner := make(map[int64]*journal.Event)
	for _, s := range steps {
		if s.Do != journal.Insert || !s.was(journal.OK) {
			continue
		}
		v.Judged++
		if first, taken := owner[s.Value]; taken {
			twice = true
			v.violate(h.violation("taken twice", []*journal.Event{first, s.event}, "two clients were told that %d of %s is theirs", s.Value, key))
			continue
		}
		owner[s.Value] = s.event
	}
	return twice
}
