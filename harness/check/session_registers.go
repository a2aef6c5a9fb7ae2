package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// versions are the values of one register, in an order that is known in part: that of real
// time, and what was compared comes before what was set.
type versions struct {
	writer map[int64]*journal.Event // of values that only one operation may have written
	after  map[int64][]int64        // what comes after a value for other reasons
}

func versionsOf(steps []step) versions {
	v := versions{make(map[int64]*journal.Event), make(map[int64][]int64)}
	twice := make(map[int64]bool)
	for _, s := range steps {
		if s.Reads() || s.was(journal.Failed) || s.Do == journal.CAS && s.was(journal.OK) && s.Got != nil && s.Got[0] == 0 {
			continue
		}
		twice[s.Value] = twice[s.Value] || v.writer[s.Value] != nil
		v.writer[s.Value] = s.event
	}
	for value := range twice {
		if twice[value] {
			delete(v.writer, value)
		}
	}
	for _, s := range steps {
		if s.was(journal.OK) && matched(s.Step) && s.Old != s.Value {
			v.follows(s.Old, s.Value)
		}
	}
	return v
}

func (v versions) follows(before, after int64) {
	if v.writer[before] != nil && v.writer[after] != nil && !slices.Contains(v.after[before], after) {
		v.after[before] = append(v.after[before], after)
	}
}

// cyclic tells whether there is no order, and names values that stand in each other's way.
func (v versions) cyclic() (values []int64, is bool) {
	before := make(map[int64]int)
	for _, next := range v.after {
		for _, value := range next {
			before[value]++
		}
	}
	left := sorted(v.writer)
	for len(left) > 0 {
		var rest []int64
		first := firstEnd(v.writer, left)
		for _, value := range left {
			if before[value] > 0 || first != nil && first != v.writer[value] && precedes(first, v.writer[value]) {
				rest = append(rest, value)
				continue
			}
			for _, next := range v.after[value] {
				before[next]--
			}
		}
		if len(rest) == len(left) {
			return rest, true
		}
		left = rest
	}
	return nil, false
}

// firstEnd is the writer that ended first.
func firstEnd(writer map[int64]*journal.Event, values []int64) *journal.Event {
	var first *journal.Event
	for _, value := range values {
		if w := writer[value]; w.Op.Outcome == journal.OK && (first == nil || endsAfter(first, w)) {
			first = w
		}
	}
	return first
}

// registerOrder judges that a client never sees a value older than one that it has seen, or,
// if own is set, than one that it has written.
func (s *sessions) registerOrder(o object, client int, steps []step, own bool) {
	v := versionsOf(s.steps[o])
	if _, is := v.cyclic(); is {
		s.v.leaveOut("sessions on a register whose writes have no order")
		return
	}
	name := "not monotonic"
	if own {
		name = "own write not seen"
	}
	var reads []*journal.Event
	for i, now := range steps {
		if !now.Reads() || !s.shows(now.event) {
			continue
		}
		reads = append(reads, now.event)
		for _, before := range steps[:i] {
			value, is := s.known(before, own)
			if !is || !precedes(before.event, now.event) || v.writer[value] == nil {
				continue
			}
			if len(now.Got) == 0 {
				s.violate(name, []*journal.Event{before.event, now.event}, "client %d knew that %s held %d, and then found nothing", client, o.key, value)
				return
			}
			if now.Got[0] != value {
				v.follows(value, now.Got[0])
			}
		}
	}
	if values, is := v.cyclic(); is {
		s.violate(name, append(reads, v.writersOf(values)...), "client %d saw values of %s in an order in which they cannot have been written", client, o.key)
	}
}

// known is the value that the step has shown its client, or, if own is set, that it wrote.
func (s *sessions) known(st step, own bool) (int64, bool) {
	switch {
	case !own:
		return first(st.Got), st.Reads() && s.shows(st.event) && len(st.Got) == 1
	case st.Reads() || !st.was(journal.OK):
		return 0, false
	}
	return st.Value, st.Do == journal.Write || matched(st.Step)
}

func first(got []int64) int64 {
	if len(got) == 0 {
		return 0
	}
	return got[0]
}

func (v versions) writersOf(values []int64) []*journal.Event {
	var writers []*journal.Event
	for _, value := range values {
		writers = append(writers, v.writer[value])
	}
	return writers
}

// registersFollow judges that what a client writes comes after what it has seen.
func (s *sessions) registersFollow() {
	for _, o := range s.order {
		if o.model != journal.Register {
			continue
		}
		v := versionsOf(s.steps[o])
		if _, is := v.cyclic(); is {
			s.v.leaveOut("sessions on a register whose writes have no order")
			continue
		}
		for _, steps := range clients(s.steps[o]) {
			for i, write := range steps {
				if write.Reads() {
					continue
				}
				for _, before := range steps[:i] {
					if value, is := s.known(before, false); is && value != write.Value && precedes(before.event, write.event) {
						s.v.Judged++
						v.follows(value, write.Value)
					}
				}
			}
		}
		if values, is := v.cyclic(); is {
			s.violate("writes do not follow reads", v.writersOf(values), "what clients read of %s, and wrote then, fits no order", o.key)
		}
	}
}
