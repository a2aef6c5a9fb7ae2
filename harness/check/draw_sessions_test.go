package check_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// drawSessions draws a few clients, each with one operation after the other, whose reads
// hold some of what was written.
func drawSessions(r *rand.Rand, model journal.Model) history {
	var h history
	clients, nodes, levels := 1+r.IntN(3), 1+r.IntN(2), 1+r.IntN(2)
	free := make([]int, clients)
	next := int64(0)
	removable := []int64{}
	order := r.Perm(12)
	keys := 1 + r.Int64N(2)
	keyOf := func(value int64) string { return string(rune('x' + value%keys)) }
	for range 3 + r.IntN(5) {
		client := r.IntN(clients)
		from := free[client] + r.IntN(3)
		to := from + r.IntN(4)
		free[client] = to
		var steps []journal.Step
		switch {
		case r.IntN(2) == 0:
			read := []string{"x", "y"}[:keys]
			if r.IntN(3) == 0 || model == journal.Register {
				read = read[r.IntN(len(read)):][:1]
			}
			for _, key := range read {
				steps = append(steps, journal.Step{Do: journal.Read, Key: key})
			}
		case model == journal.Set && len(removable) > 0 && r.IntN(3) == 0:
			value := removable[0]
			removable = removable[1:]
			steps = []journal.Step{{Do: journal.Remove, Key: keyOf(value), Value: value}}
		default:
			next++
			removable = append(removable, next)
			steps = []journal.Step{{Do: map[journal.Model]journal.Do{journal.Register: journal.Write, journal.Set: journal.Add,
				journal.List: journal.Append, journal.Counter: journal.Increment}[model], Key: keyOf(next), Value: next}}
			if model == journal.Register && r.IntN(3) == 0 && next > 1 {
				steps[0].Do, steps[0].Old = journal.CAS, 1+r.Int64N(next-1)
			}
		}
		outcome := []journal.Outcome{ok, ok, ok, ok, unknown, failed}[r.IntN(6)]
		e := happened(client, from, to, outcome, model, []journal.Level{strong, local}[r.IntN(levels)], steps...)
		e.Node = r.IntN(nodes)
		if outcome != ok {
			for i := range steps {
				steps[i].Got = nil
			}
		}
		h = append(h, e)
	}
	if r.IntN(3) == 0 {
		h = append(h, final(0, model, journal.Step{Do: journal.Read, Key: "x"}))
	}
	fillReads(r, h, model, order)
	if r.IntN(3) == 0 {
		at := begun.Add(time.Duration(r.IntN(8)) * time.Millisecond)
		h = append(h, journal.Event{At: at, Kind: journal.Flag, Node: r.IntN(2), Flag: &journal.FlagChange{}})
	}
	slices.SortStableFunc(h, func(a, b journal.Event) int { return a.At.Compare(b.At) })
	return h
}

// fillReads gives each read some of the values whose writes had begun, which lists hold
// in one order.
func fillReads(r *rand.Rand, h history, model journal.Model, order []int) {
	most := 4 + r.IntN(6)
	for _, e := range h { // whether compares match comes first
		if s := &e.Op.Steps[0]; s.Do == journal.CAS && e.Op.Outcome == ok {
			s.Got = []int64{r.Int64N(2)}
		}
	}
	for _, e := range h {
		for i, s := range e.Op.Steps {
			if e.Op.Outcome != ok || s.Do != journal.Read && (s.Do != journal.CAS || s.Got[0] == 0) {
				continue
			}
			got := []int64{}
			for _, w := range h {
				made := w.Op.Steps[0]
				begun := made.Do != journal.Read && (made.Do != journal.CAS || made.Got == nil ||
					made.Got[0] == 1) && made.Do != journal.Remove && w.Op.Outcome != failed && (e.Op.Final || !w.At.After(e.End())) && w.Op != e.Op
				if begun && made.Key == s.Key && r.IntN(10) < most {
					got = append(got, made.Value)
				}
			}
			switch model {
			case journal.Register:
				r.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
				got = got[:min(len(got), 1)]
			case journal.List:
				slices.SortFunc(got, func(a, b int64) int { return order[a] - order[b] })
			case journal.Counter:
				var sum int64
				for _, v := range got {
					sum += v
				}
				got = []int64{sum}
			}
			e.Op.Steps[i].Got = got
			if s.Do == journal.CAS {
				e.Op.Steps[i] = journal.Step{Do: journal.Write, Key: s.Key, Value: s.Value}
				if len(got) > 0 {
					e.Op.Steps[i] = journal.Step{Do: journal.CAS, Key: s.Key, Old: got[0], Value: s.Value, Got: []int64{1}}
				}
			}
		}
	}
}
