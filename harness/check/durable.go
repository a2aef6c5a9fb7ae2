package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Durable judges sets (journal.Set), and lists and unique values as sets: in the end every node that
// was read (journal.Op.Final) holds all acknowledged values, and no value that failed, that was
// removed or that no operation added.
//
// Earlier strong reads of sets are judged too: some order of all additions, removals and strong or
// final reads explains the reads and fits real time. That verdict is exact for each step, or
// ErrUndecided beyond the bounds of the search. An operation of unknown outcome may take effect at
// any time after it began, or never. The verdict is ErrInvalid if a value may have been added to a
// set twice.
func Durable(events []journal.Event) error { return durableRule.Judge(events).Err() }

func judgeDurable(h history, v *Verdict) {
	for _, model := range []journal.Model{journal.Set, journal.Unique, journal.List} {
		operations := h.of(model)
		v.countUnobserved(operations)
		keys, steps := byKey(operations)
		for _, key := range keys {
			if model == journal.Set {
				if err := validSet(key, steps[key]); err != nil {
					v.refuse(err)
					return
				}
			}
			plain := h.judgeMembers(v, key, steps[key])
			if model == journal.Set && plain {
				h.judgeSet(v, "not linearizable", key, steps[key], perObject(len(keys)))
			}
		}
	}
}

func validSet(key string, steps []step) error {
	added := make(map[int64]bool)
	for _, s := range steps {
		switch {
		case s.event.Op.Final && s.event.Op.Changes():
			return invalid("a final operation changes something: %s", s.event)
		case s.Do != journal.Add || s.was(journal.Failed):
		case added[s.Value]:
			return invalid("a value is added to a set at most once, and %d may have been added to %s twice, the second time here: %s",
				s.Value, key, s.event)
		default:
			added[s.Value] = true
		}
	}
	return nil
}

// judgeMembers judges each read by itself, and tells whether all are sound.
func (h history) judgeMembers(v *Verdict, key string, steps []step) bool {
	m := newMembership(h, key, steps)
	sound := true
	for _, s := range steps {
		if !s.Reads() || unobserved(s.event) != "" {
			continue
		}
		v.Judged++
		for _, violation := range m.judge(s) {
			sound = false
			v.violate(violation)
		}
	}
	return sound
}

// judgeSet judges all reads of a set together.
func (h history) judgeSet(v *Verdict, rule, key string, steps []step, bytes int) {
	events := eventsOf(steps)
	found, stuck := decide(events, bytes, func(events []*journal.Event, bytes int) (answer, *journal.Event) {
		_, steps := byKey(events)
		return widen(bytes, func(b *budget) (*search, int) { return newElements(steps[key], b) })
	})
	switch found {
	case undecided:
		v.undecided("%s: too many of its %d operations are concurrent or have no outcome", key, len(events))
	case impossible:
		v.violate(h.violation(rule, around(stuck, events, func(e *journal.Event) bool { return e.Op.Changes() && !precedes(e, stuck) }),
			"no order of the %d operations on %s explains what was read; with all before it, this cannot be explained: %s",
			len(events), key, stuck))
	default:
	}
}

func eventsOf(steps []step) []*journal.Event {
	var events []*journal.Event
	for _, s := range steps {
		if !slices.Contains(events, s.event) {
			events = append(events, s.event)
		}
	}
	return events
}
