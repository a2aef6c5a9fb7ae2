package check_test

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// The reference decides small histories from the definitions of the levels alone, by
// trying everything. It shares no code and no idea with the judges.

// explain executes the steps of a transaction on a state, and tells whether its known
// reads fit.
func explain(s state, op *journal.Op) bool {
	known := op.Outcome == ok && !op.Unread
	for _, st := range op.Steps {
		switch {
		case st.Do == journal.Read && known && !slices.Equal(st.Got, s[st.Key]):
			return false
		case st.Do == journal.Read:
		case op.Model == journal.List:
			s[st.Key] = append(slices.Clone(s[st.Key]), st.Value)
		default:
			s[st.Key] = []int64{st.Value}
		}
	}
	return true
}

// hasSerialOrder tries all orders of the transactions that are ok and of any of those
// that are unknown.
func hasSerialOrder(h history, strict bool) bool {
	done := make([]bool, len(h))
	var from func(s state) bool
	from = func(s state) bool {
		if complete(h, done) {
			return true
		}
		for i, e := range h {
			if done[i] || e.Op.Outcome == failed || strict && tooEarly(h, done, i) {
				continue
			}
			after := s.clone()
			if !explain(after, e.Op) {
				continue
			}
			done[i] = true
			if from(after) {
				return true
			}
			done[i] = false
		}
		return false
	}
	return from(state{})
}

func complete(h history, done []bool) bool {
	for i, e := range h {
		if e.Op.Outcome == ok && !done[i] {
			return false
		}
	}
	return true
}

// tooEarly tells whether the next transaction breaks real time: one that had to come
// before it has not, or one that had to come after it has.
func tooEarly(h history, done []bool, next int) bool {
	for i, e := range h {
		if i == next {
			continue
		}
		if !done[i] && e.Op.Outcome == ok && precedes(e, h[next]) || done[i] && precedes(h[next], e) {
			return true
		}
	}
	return false
}

func precedes(a, b journal.Event) bool {
	for _, op := range []*journal.Op{a.Op, b.Op} {
		latest := op.Level == strong || op.Final
		if !latest && !changes(op) {
			return false
		}
	}
	if a.Op.Final != b.Op.Final {
		return b.Op.Final
	}
	return a.Op.Outcome == ok && a.At.Add(a.Took).Before(b.At)
}

// hasSnapshots tries all orders of starts and commits: a transaction reads the state
// at its start, and commits if no other has committed a write to one of its keys since
// (Berenson et al., "A Critique of ANSI SQL Isolation Levels", SIGMOD 1995).
func hasSnapshots(h history) bool {
	done := make([]bool, len(h))
	running := map[int]bool{}
	dirty := make([]map[string]bool, len(h)) // keys that were committed since the start
	tried := map[string]bool{}               // in vain
	var from func(s state) bool
	from = func(s state) bool {
		if complete(h, done) {
			return true
		}
		here := fmt.Sprint(done, running, dirty, s)
		if tried[here] {
			return false
		}
		tried[here] = true
		for i, e := range h {
			switch {
			case done[i] || e.Op.Outcome == failed:
			case running[i]:
				if conflicts(e.Op, dirty[i]) {
					continue
				}
				before := make([]map[string]bool, len(h))
				copy(before, dirty)
				for j := range h {
					dirty[j] = mark(dirty[j], e.Op)
				}
				after := s.clone()
				explain(after, &journal.Op{Model: e.Op.Model, Steps: e.Op.Steps})
				delete(running, i)
				done[i] = true
				if !doomed(h, running, dirty) && from(after) {
					return true
				}
				running[i], done[i] = true, false
				copy(dirty, before)
			default:
				if !explain(s.clone(), e.Op) {
					continue
				}
				if reads(e.Op) && !changes(e.Op) {
					done[i] = true
					if from(s) {
						return true
					}
					done[i] = false
					continue
				}
				was := dirty[i]
				running[i], dirty[i] = true, nil
				if from(s) {
					return true
				}
				delete(running, i)
				dirty[i] = was
			}
		}
		return false
	}
	return from(state{})
}

// doomed tells whether a transaction that is known to commit cannot any more.
func doomed(h history, running map[int]bool, dirty []map[string]bool) bool {
	for i, e := range h {
		if running[i] && e.Op.Outcome == ok && conflicts(e.Op, dirty[i]) {
			return true
		}
	}
	return false
}

func changes(op *journal.Op) bool {
	return slices.ContainsFunc(op.Steps, func(s journal.Step) bool { return s.Do != journal.Read })
}

func conflicts(op *journal.Op, dirty map[string]bool) bool {
	return slices.ContainsFunc(op.Steps, func(s journal.Step) bool { return s.Do != journal.Read && dirty[s.Key] })
}

func mark(dirty map[string]bool, op *journal.Op) map[string]bool {
	more := map[string]bool{}
	for key := range dirty {
		more[key] = true
	}
	for _, s := range op.Steps {
		if s.Do != journal.Read {
			more[s.Key] = true
		}
	}
	return more
}
