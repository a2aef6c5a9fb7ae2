package check_test

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func counterSemantics(s state, e journal.Event, trusted bool) (state, bool) {
	next := maps.Clone(s)
	for _, step := range e.Op.Steps {
		is := next[step.Key]
		if len(is) == 0 {
			is = []int64{0}
		}
		if step.Do == journal.Increment {
			next[step.Key] = []int64{is[0] + step.Value}
		} else if trusted && !slices.Equal(step.Got, is) {
			return nil, false
		}
	}
	return next, true
}

// drawCounters draws increments and reads of one or two counters.
func drawCounters(r *rand.Rand) history {
	n := 2 + r.IntN(6)
	keys := []string{"c", "d"}[:1+r.IntN(2)]
	var h history
	for range n {
		var steps []journal.Step
		for range 1 + r.IntN(8)/6 {
			key := keys[r.IntN(len(keys))]
			if r.IntN(2) == 0 {
				steps = append(steps, journal.Step{Do: journal.Read, Key: key})
			} else {
				steps = append(steps, do(journal.Increment, key, 1+r.Int64N(3)))
			}
		}
		h = append(h, drawOperation(r, n, journal.Counter, steps...))
	}
	carryOut(r, h, state{"c": {0}, "d": {0}}, counterSemantics)
	for range r.IntN(3) {
		spoil(r, h, func(got []int64) []int64 { return []int64{got[0] + r.Int64N(5) - 2} })
	}
	return h
}

// bankSemantics are those of accounts that hold a balance or are not there. One of which
// nothing is known before the history holds nil in "unknown " and its name.
func bankSemantics(s state, e journal.Event, trusted bool) (state, bool) {
	next := maps.Clone(s)
	trusted = trusted || e.Op.Outcome == ok && !e.Op.Unread && e.Op.Level != "" && !e.Op.Changes()
	for _, step := range e.Op.Steps {
		is, there := next[step.Key]
		switch step.Do {
		case journal.Write:
			if there {
				return nil, false
			}
			next[step.Key] = []int64{step.Value}
		case journal.Increment:
			if !there {
				return nil, false
			}
			next[step.Key] = []int64{is[0] + step.Value}
		default:
			if trusted && !slices.Equal(step.Got, is) {
				return nil, false
			}
		}
	}
	for _, is := range next {
		if is[0] < 0 {
			return nil, false
		}
	}
	return next, true
}

var bankKeys = []string{"a", "b", "c"}

// drawBank draws transfers and reads, with an operation that opens the accounts or
// without.
func drawBank(r *rand.Rand, open bool) history {
	n := 2 + r.IntN(5)
	keys := bankKeys[:2+r.IntN(2)]
	var h history
	for range n {
		var steps []journal.Step
		if r.IntN(2) == 0 {
			for _, key := range keys {
				if r.IntN(6) > 0 {
					steps = append(steps, journal.Step{Do: journal.Read, Key: key})
				}
			}
		}
		if len(steps) == 0 || r.IntN(10) == 0 {
			from, by := r.IntN(len(keys)), 1+r.Int64N(3)
			steps = append(steps, do(journal.Increment, keys[from], -by), do(journal.Increment, keys[(from+1)%len(keys)], by))
		}
		h = append(h, drawOperation(r, n, journal.Bank, steps...))
	}
	s := state{}
	if open {
		var steps []journal.Step
		for _, key := range keys {
			steps = append(steps, do(journal.Write, key, 2+r.Int64N(3)))
		}
		opening := drawOperation(r, n, journal.Bank, steps...)
		if r.IntN(3) > 0 {
			opening.At, opening.Took = begun, 0
		}
		h = append(h, opening)
	} else {
		for _, key := range keys {
			if r.IntN(8) > 0 {
				s[key] = []int64{2 + r.Int64N(3)}
			}
		}
	}
	carryOut(r, h, s, bankSemantics)
	for range r.IntN(3) {
		spoil(r, h, func(got []int64) []int64 {
			if r.IntN(5) == 0 || len(got) == 0 {
				return []int64{}
			}
			return []int64{got[0] + r.Int64N(5) - 2}
		})
	}
	return h
}

// soundBank tries all beginnings and all orders. A read that may be stale may come at any
// time before its end.
func soundBank(h history) bool {
	moved := make(history, 0, len(h))
	starts := []state{{}}
	highest, moves := int64(0), int64(0)
	opened := make(map[string]bool)
	used := make(map[string]bool)
	for _, e := range h {
		if e.Op.Outcome == failed {
			continue
		}
		if e.Op.Outcome == ok && !e.Op.Changes() && !e.Op.Final && (e.Op.Level == local || e.Op.Level == journal.Leader) {
			e.At, e.Took = begun.Add(-1), e.At.Add(e.Took).Sub(begun.Add(-1))
		}
		moved = append(moved, e)
		for _, step := range e.Op.Steps {
			used[step.Key] = true
			opened[step.Key] = opened[step.Key] || step.Do == journal.Write
			moves += max(step.Value, 0)
			for _, v := range step.Got {
				highest = max(highest, v)
			}
		}
	}
	for _, key := range bankKeys {
		if !used[key] || opened[key] {
			continue
		}
		next := slices.Clone(starts)
		for _, s := range starts {
			for v := range highest + moves + 1 {
				with := maps.Clone(s)
				with[key] = []int64{v}
				next = append(next, with)
			}
		}
		starts = next
	}
	return slices.ContainsFunc(starts, func(s state) bool { return orderFrom(bankSemantics, moved, make([]bool, len(moved)), s) })
}
