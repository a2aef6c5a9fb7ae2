package check

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Counted judges counters (journal.Counter), which start at 0 and only grow: some order of all
// increments and strong or final reads fits real time, and each read returns the sum of the
// increments before it. An increment of unknown outcome may take effect at any time after it began,
// or never. The verdict is exact, or ErrUndecided beyond the bounds of the search. Increments that
// are not positive are ErrInvalid.
func Counted(events []journal.Event) error { return countedRule.Judge(events).Err() }

func judgeCounted(h history, v *Verdict) {
	operations := h.of(journal.Counter)
	if err := validCounters(operations); err != nil {
		v.refuse(err)
		return
	}
	v.countUnobserved(operations)
	keys, _ := byKey(operations)
	for _, group := range connected(operations) {
		h.judgeCounters(v, group, perObject(len(keys)))
	}
}

func validCounters(operations []*journal.Event) error {
	for _, e := range operations {
		if e.Op.Final && e.Op.Changes() {
			return invalid("a final operation changes something: %s", e)
		}
		for _, s := range e.Op.Steps {
			if s.Do == journal.Increment && s.Value <= 0 {
				return invalid("a counter only grows, and an increment is by %d: %s", s.Value, e)
			}
		}
	}
	return nil
}

func (h history) judgeCounters(v *Verdict, events []*journal.Event, bytes int) {
	if !knowsAny(events) {
		return
	}
	v.Judged += len(events)
	found, stuck := decide(events, bytes, searchCounters)
	switch found {
	case undecided:
		v.undecided("%s: too many of its %d operations are concurrent or have no outcome", events[0].Op.Steps[0].Key, len(events))
	case impossible:
		v.violate(h.violation("miscounted", around(stuck, events, shareKey(stuck)), "%s", h.whyMiscounted(events, stuck)))
	default:
	}
}

func searchCounters(events []*journal.Event, bytes int) (answer, *journal.Event) {
	return widen(bytes, func(b *budget) (*search, int) {
		n := newNumbers(true, events)
		return n.newSearch(events, false, b), n.start(nil)
	})
}

func shareKey(e *journal.Event) func(*journal.Event) bool {
	return func(other *journal.Event) bool {
		return other.Op.Changes() && slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool {
			return slices.ContainsFunc(other.Op.Steps, func(o journal.Step) bool { return o.Key == s.Key })
		})
	}
}

// whyMiscounted explains a read by the sums that were possible: of what was acknowledged before it,
// and of all that may have taken effect.
func (h history) whyMiscounted(events []*journal.Event, stuck *journal.Event) string {
	for _, read := range stuck.Op.Steps {
		if !read.Reads() || read.Got == nil {
			continue
		}
		least, most := int64(0), int64(0)
		for _, e := range events {
			for _, s := range e.Op.Steps {
				if s.Key != read.Key || s.Do != journal.Increment {
					continue
				}
				if e.Op.Outcome == journal.OK && precedes(e, stuck) {
					least += s.Value
				}
				if e == stuck || !precedes(stuck, e) {
					most += s.Value
				}
			}
		}
		if len(read.Got) != 1 || read.Got[0] < least || read.Got[0] > most {
			return fmt.Sprintf("%s was read as %v; what was acknowledged adds up to %d by then, and with all that may have been added to %d",
				read.Key, read.Got, least, most)
		}
	}
	return fmt.Sprintf(
		"no order of the %d increments and reads explains what was read; with all before it, this cannot be explained: %s",
		len(events), stuck)
}

// connected groups operations that are connected by keys. Groups share no key and are ordered by
// their first operations. Failed operations are in no group.
func connected(operations []*journal.Event) [][]*journal.Event {
	parent := make(map[string]string)
	var root func(key string) string
	root = func(key string) string {
		if up, is := parent[key]; is && up != key {
			parent[key] = root(up)
			return parent[key]
		}
		return key
	}
	for _, e := range operations {
		for _, s := range e.Op.Steps {
			if e.Op.Outcome != journal.Failed {
				parent[root(s.Key)] = root(e.Op.Steps[0].Key)
			}
		}
	}
	var order []string
	groups := make(map[string][]*journal.Event)
	for _, e := range operations {
		if e.Op.Outcome == journal.Failed {
			continue
		}
		key := root(e.Op.Steps[0].Key)
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], e)
	}
	var all [][]*journal.Event
	for _, key := range order {
		all = append(all, groups[key])
	}
	return all
}

func knowsAny(events []*journal.Event) bool {
	return slices.ContainsFunc(events, func(e *journal.Event) bool { return reads(e) && unobserved(e) == "" })
}
