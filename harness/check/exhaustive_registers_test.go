package check_test

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func registerSemantics(s state, e journal.Event, trusted bool) (state, bool) {
	next := maps.Clone(s)
	for _, step := range e.Op.Steps {
		is := next[step.Key]
		switch step.Do {
		case journal.Read:
			if trusted && step.Got != nil && !slices.Equal(step.Got, is) {
				return nil, false
			}
		case journal.Write:
			next[step.Key] = []int64{step.Value}
		case journal.CAS:
			matches := len(is) == 1 && is[0] == step.Old
			if e.Op.Outcome == ok && step.Got != nil && matches != (step.Got[0] == 1) {
				return nil, false
			}
			if matches {
				next[step.Key] = []int64{step.Value}
			}
		}
	}
	return next, true
}

// drawRegisters draws operations on one or two registers, with values that are unique,
// or of a small domain.
func drawRegisters(r *rand.Rand) history {
	n := 2 + r.IntN(6)
	keys := []string{"x", "y"}[:1+r.IntN(2)]
	domain, unique, last := int64(1+r.IntN(3)), r.IntN(2) == 0, int64(0)
	reads, favourite := 1+r.IntN(5), 1+r.Int64N(3) // in ten steps; and what half of the compares expect
	value := func() int64 {
		if last++; unique {
			return last
		}
		return 1 + r.Int64N(domain)
	}
	step := func(key string) journal.Step {
		switch p := r.IntN(10); {
		case p < reads:
			return journal.Step{Do: journal.Read, Key: key}
		case p < reads+3:
			return do(journal.Write, key, value())
		}
		old := 1 + r.Int64N(domain)
		if unique {
			old = 1 + r.Int64N(last+1)
		}
		if r.IntN(2) == 0 {
			old = favourite
		}
		return journal.Step{Do: journal.CAS, Key: key, Old: old, Value: value()}
	}
	var h history
	for range n {
		key := keys[r.IntN(len(keys))]
		steps := []journal.Step{step(key)}
		if r.IntN(12) == 0 {
			steps = append(steps, step(key))
		}
		h = append(h, drawOperation(r, n, journal.Register, steps...))
	}
	carryOut(r, h, state{}, registerSemantics)
	for range r.IntN(3) {
		spoil(r, h, func([]int64) []int64 {
			if r.IntN(5) == 0 {
				return []int64{}
			}
			return []int64{1 + r.Int64N(max(domain, last))}
		})
	}
	return h
}
