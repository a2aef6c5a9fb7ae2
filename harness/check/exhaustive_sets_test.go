package check_test

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func setSemantics(s state, e journal.Event, trusted bool) (state, bool) {
	next := maps.Clone(s)
	for _, step := range e.Op.Steps {
		is := next[step.Key]
		switch step.Do {
		case journal.Add, journal.Append:
			next[step.Key] = append(slices.Clone(is), step.Value)
		case journal.Insert:
			if slices.Contains(is, step.Value) {
				return nil, false
			}
			next[step.Key] = append(slices.Clone(is), step.Value)
		case journal.Remove:
			next[step.Key] = slices.DeleteFunc(slices.Clone(is), func(v int64) bool { return v == step.Value })
		default:
			if trusted && !slices.Equal(slices.Sorted(slices.Values(step.Got)), slices.Sorted(slices.Values(is))) {
				return nil, false
			}
		}
	}
	return next, true
}

// drawSets draws additions, each of a value of its own, removals and reads of sets.
func drawSets(r *rand.Rand) history {
	n := 2 + r.IntN(6)
	keys := []string{"s", "t"}[:1+r.IntN(4)/3]
	last := int64(0)
	var h history
	for range n {
		key := keys[r.IntN(len(keys))]
		step := journal.Step{Do: journal.Read, Key: key}
		switch p := r.IntN(10); {
		case p < 3:
			last++
			step = do(journal.Add, key, last)
		case p < 5:
			step = do(journal.Remove, key, 1+r.Int64N(max(last, 1)))
		}
		h = append(h, drawOperation(r, n, journal.Set, step))
	}
	r.Shuffle(len(h), func(i, j int) { h[i], h[j] = h[j], h[i] })
	carryOut(r, h, state{}, setSemantics)
	return spoilSets(r, h, last)
}

func spoilSets(r *rand.Rand, h history, last int64) history {
	for range r.IntN(5) {
		spoil(r, h, func(got []int64) []int64 {
			if value := 1 + r.Int64N(last+1); !slices.Contains(got, value) && r.IntN(3) == 0 {
				return append(got, value)
			}
			if len(got) == 0 {
				return got
			}
			i := r.IntN(len(got))
			return slices.Delete(got, i, i+1)
		})
	}
	return h
}

// drawUnique draws inserts of few values, and reads.
func drawUnique(r *rand.Rand) history {
	n := 2 + r.IntN(6)
	keys := []string{"u", "w"}[:1+r.IntN(4)/3]
	var h history
	for range n {
		key := keys[r.IntN(len(keys))]
		step := journal.Step{Do: journal.Read, Key: key}
		if r.IntN(2) == 0 {
			step = do(journal.Insert, key, 1+r.Int64N(3))
		}
		h = append(h, drawOperation(r, n, journal.Unique, step))
	}
	carryOut(r, h, state{}, setSemantics)
	if r.IntN(4) == 0 {
		if op := h[r.IntN(n)].Op; op.Changes() {
			op.Outcome = ok
		}
	}
	return spoilSets(r, h, 3)
}
