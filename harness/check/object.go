package check

import (
	"sort"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// perObject returns the share of one object in the budget of a rule.
func perObject(objects int) int { return max(perRule/max(objects, 1), perRule/32) }

// decide searches for an order of the operations on one object. If there is none, stuck is the
// operation at whose end the last order was excluded.
func decide(events []*journal.Event, bytes int, try func([]*journal.Event, int) (answer, *journal.Event)) (found answer,
	stuck *journal.Event) {
	found, stuck = try(events, bytes)
	if found != impossible {
		return found, stuck
	}
	ends := ended(events)
	first := sort.Search(len(ends), func(i int) bool {
		is, _ := try(until(events, ends[i]), bytes)
		return is == impossible
	})
	if first < len(ends) {
		stuck = ends[first]
	}
	return found, stuck
}

// narrowest is a number of configurations that is enough for most histories.
const narrowest = 50

// widen searches with few configurations first, which finds most orders, and then with all.
func widen(bytes int, make func(*budget) (*search, int)) (found answer, stuck *journal.Event) {
	for _, width := range []int{narrowest, 1000, 0} {
		s, initial := make(&budget{bytes})
		s.width = width
		if found, stuck = s.find(initial); found != undecided {
			return found, stuck
		}
	}
	return found, stuck
}

// find is run, and returns the operation of the task.
func (s *search) find(initial int) (answer, *journal.Event) {
	found, stuck := s.run(initial)
	if found == possible {
		return found, nil
	}
	return found, s.tasks[stuck].event
}

// ended returns the operations that have ended, in the order of their ends.
func ended(events []*journal.Event) []*journal.Event {
	var ends []*journal.Event
	for _, e := range events {
		if e.Op.Outcome == journal.OK {
			ends = append(ends, e)
		}
	}
	sort.SliceStable(ends, func(i, j int) bool { return endsAfter(ends[j], ends[i]) })
	return ends
}

// around returns the operations that help to understand why one cannot be explained: itself, those
// whose effects it shows, and those that ended last before it or were in progress.
func around(stuck *journal.Event, events []*journal.Event, related func(*journal.Event) bool) []*journal.Event {
	const most = 8
	witnesses := []*journal.Event{stuck}
	for _, e := range events {
		if e != stuck && related(e) && !precedes(stuck, e) && len(witnesses) <= most/2 {
			witnesses = append(witnesses, e)
		}
	}
	ends := ended(events)
	for i := len(ends) - 1; i >= 0 && len(witnesses) < most; i-- {
		if e := ends[i]; !endsAfter(e, stuck) && !isOneOf(e, witnesses) {
			witnesses = append(witnesses, e)
		}
	}
	return witnesses
}

func isOneOf(e *journal.Event, events []*journal.Event) bool {
	for _, other := range events {
		if e == other {
			return true
		}
	}
	return false
}
