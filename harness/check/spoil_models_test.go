package check_test

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

var listSpoilers = []spoiler{
	{"list: an unknown transaction is torn", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.adds(journal.List, journal.Append)) {
			i := slices.IndexFunc(a.event.Op.Steps, func(o journal.Step) bool { return o.Do == journal.Append && o.Key != a.step.Key })
			if i < 0 {
				continue
			}
			op := a.event.Op
			op.Outcome, op.Unread = journal.Unknown, false
			for j := range op.Steps {
				op.Steps[j].Got = nil
			}
			s.forget(journal.List, op.Steps[i].Key, op.Steps[i].Value)
			return a.String(), true
		}
		return "", false
	}},
	{"list: two values stand the other way round in one read", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.List, func(a at) bool { return a.fresh() && len(a.step.Got) > 1 && ends(s, a) > 1 }))
		if is {
			got := slices.Clone(a.step.Got)
			got[0], got[1] = got[1], got[0]
			a.step.Got = got
		}
		return a.String(), is
	}},
	{"list: two values stand the other way round everywhere, though one was acknowledged before the other began",
		func(s *spoiled) (string, bool) {
			for _, a := range shuffled(s, s.adds(journal.List, journal.Append)) {
				for _, b := range s.adds(journal.List, journal.Append) {
					if a.step.Key != b.step.Key || !before(a.event, b.event) {
						continue
					}
					for _, r := range s.steps(journal.List, func(r at) bool { return r.read() && r.step.Key == a.step.Key }) {
						i, j := slices.Index(r.step.Got, a.step.Value), slices.Index(r.step.Got, b.step.Value)
						r.step.Got = slices.Clone(r.step.Got)
						switch {
						case i >= 0 && j >= 0:
							r.step.Got[i], r.step.Got[j] = b.step.Value, a.step.Value
						case i >= 0:
							r.step.Got[i] = b.step.Value
						}
					}
					return a.String(), true
				}
			}
			return "", false
		}},
}

// ends is how many reads of the key hold the first two values of the read.
func ends(s *spoiled, a at) int {
	return len(s.steps(journal.List, func(b at) bool {
		return b.read() && b.step.Key == a.step.Key && b.holds(a.step.Got[0]) && b.holds(a.step.Got[1])
	}))
}

// overwritten are pairs of acknowledged writes of a register, one after the other.
func (s *spoiled) overwritten() (first, second at, is bool) {
	writes := s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.Write && a.ok() })
	for _, a := range shuffled(s, slices.Clone(writes)) {
		for _, b := range writes {
			if a.step.Key == b.step.Key && before(a.event, b.event) {
				return a, b, true
			}
		}
	}
	return at{}, at{}, false
}

var registerSpoilers = []spoiler{
	{"register: a strong read sees a value that was overwritten before", func(s *spoiled) (string, bool) {
		for range 100 {
			a, b, is := s.overwritten()
			if !is {
				return "", false
			}
			r, is := s.some(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && before(b.event, r.event) }))
			if is {
				r.step.Got = []int64{a.step.Value}
				return r.String(), true
			}
		}
		return "", false
	}},
	{"register: a read sees a value that was never written", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Register, at.fresh))
		if is {
			a.step.Got = []int64{nowhere}
		}
		return a.String(), is
	}},
	{"register: a read sees nothing after an acknowledged write", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.Write && a.ok() })) {
			r, is := s.some(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && before(a.event, r.event) }))
			if is {
				r.step.Got = []int64{}
				return r.String(), true
			}
		}
		return "", false
	}},
	{"register: a write that was read is said to have failed", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.Write && a.ok() })) {
			if len(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && r.holds(a.step.Value) })) > 0 {
				a.event.Op.Outcome = journal.Failed
				return a.String(), true
			}
		}
		return "", false
	}},
	{"register: a compare that matched is said not to have, and its value was read", func(s *spoiled) (string, bool) {
		for _, a := range shuffled(s, s.steps(journal.Register, func(a at) bool { return a.step.Do == journal.CAS && a.ok() && a.holds(1) })) {
			if len(s.steps(journal.Register, func(r at) bool { return r.fresh() && r.step.Key == a.step.Key && r.holds(a.step.Value) })) > 0 {
				a.step.Got = []int64{0}
				return a.String(), true
			}
		}
		return "", false
	}},
	{"register: one node ends with another value", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Register, func(a at) bool { return a.event.Op.Final && len(a.step.Got) == 1 }))
		if !is {
			return "", false
		}
		w, is := s.some(s.steps(journal.Register, func(w at) bool {
			return w.step.Do == journal.Write && w.ok() && w.step.Key == a.step.Key && !a.holds(w.step.Value)
		}))
		if is {
			a.step.Got = []int64{w.step.Value}
		}
		return a.String(), is
	}},
}

// more adds to what reads of a key found.
func more(reads []at, by int64) {
	for _, r := range reads {
		r.step.Got = []int64{r.step.Got[0] + by}
	}
}

var bankSpoilers = []spoiler{
	{"bank: a read finds more money", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			more([]at{a}, 1)
		}
		return a.String(), is
	}},
	{"bank: an account has vanished", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			a.step.Got = []int64{}
		}
		return a.String(), is
	}},
	{"bank: money is wrong from the first read on", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			more(s.steps(journal.Bank, func(b at) bool { return b.read() && b.step.Key == a.step.Key }), 7)
		}
		return a.String(), is
	}},
	{"bank: an acknowledged transfer is lost everywhere", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, func(a at) bool { return a.step.Do == journal.Increment && a.ok() }))
		if !is {
			return "", false
		}
		// Reads that surely follow are turned back; those that overlap go away.
		for _, t := range a.event.Op.Steps {
			more(s.steps(journal.Bank, func(r at) bool { return r.read() && r.step.Key == t.Key && before(a.event, r.event) }), -t.Value)
		}
		for i := range s.events {
			e := &s.events[i]
			if e.Op != nil && e.Op.Model == journal.Bank && !e.Op.Changes() && !before(a.event, e) && !before(e, a.event) {
				e.Kind, e.Op = journal.Note, nil
			}
		}
		return a.String(), true
	}},
	{"bank: a balance is negative", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Bank, at.fresh))
		if is {
			i := slices.IndexFunc(a.event.Op.Steps, func(o journal.Step) bool { return o.Key != a.step.Key })
			other := &a.event.Op.Steps[i]
			other.Got = []int64{other.Got[0] + a.step.Got[0] + 1}
			a.step.Got = []int64{-1}
		}
		return a.String(), is
	}},
}

var counterSpoilers = []spoiler{
	{"counter: the end misses some", func(s *spoiled) (string, bool) {
		return s.count(func(a at) bool { return a.event.Op.Final }, -1)
	}},
	{"counter: a read finds more than was ever added", func(s *spoiled) (string, bool) {
		return s.count(func(at) bool { return true }, nowhere)
	}},
	{"counter: an acknowledged increment is lost everywhere", func(s *spoiled) (string, bool) {
		a, is := s.some(s.steps(journal.Counter, func(a at) bool { return a.step.Do == journal.Increment && a.ok() }))
		if is {
			unknown := s.steps(journal.Counter, func(u at) bool { return u.step.Key == a.step.Key && u.event.Op.Outcome == journal.Unknown })
			if len(unknown) > 0 {
				return "", false // one of those may stand in for it
			}
			more(s.finals(journal.Counter, a.step.Key), -a.step.Value)
		}
		return a.String(), is
	}},
}

func (s *spoiled) count(is func(at) bool, by int64) (string, bool) {
	a, found := s.some(s.steps(journal.Counter, func(a at) bool { return a.fresh() && len(a.step.Got) == 1 && is(a) }))
	if found {
		more([]at{a}, by)
	}
	return a.String(), found
}

var nodeSpoilers = []spoiler{
	{"nodes: one holds other data at a log index", func(s *spoiled) (string, bool) {
		e, is := s.state(func(e *journal.Event) bool { return e.Kind == journal.Check && e.State.Digest != "" })
		if is {
			state := *e.State
			state.Digest += "x"
			e.State = &state
		}
		return "", is
	}},
	{"nodes: one ends behind", func(s *spoiled) (string, bool) {
		for i := len(s.events) - 1; i >= 0; i-- {
			e := &s.events[i]
			if e.Kind == journal.Check && e.State != nil && e.State.Digest != "" {
				state := *e.State
				state.Applied--
				state.Digest += "x"
				e.State = &state
				return "", true
			}
		}
		return "", false
	}},
	{"nodes: two lead in one term", func(s *spoiled) (string, bool) {
		e, is := s.state(func(e *journal.Event) bool { return e.Kind == journal.Shown && e.State.Role == "leader" })
		if !is {
			return "", false
		}
		state := *e.State
		other := *e
		other.Node, other.At, other.State = e.Node+1, e.At.Add(time.Millisecond), &state
		s.events[0] = other // the boot's own place
		return "", true
	}},
}

func (s *spoiled) state(is func(*journal.Event) bool) (*journal.Event, bool) {
	var found []*journal.Event
	for i := range s.events {
		if e := &s.events[i]; e.State != nil && is(e) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil, false
	}
	return found[s.random.IntN(len(found))], true
}
