package check_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// drawTimes are times of one of so many operations, with many ties.
func drawTimes(r *rand.Rand, n int) (from, to int) {
	a, b := r.IntN(2*n), r.IntN(2*n)
	return min(a, b), max(a, b)
}

func drawOutcome(r *rand.Rand) journal.Outcome {
	switch p := r.IntN(100); {
	case p < 20:
		return unknown
	case p < 27:
		return failed
	}
	return ok
}

func drawLevel(r *rand.Rand) journal.Level {
	return []journal.Level{strong, strong, strong, strong, strong, strong, local, journal.Leader, ""}[r.IntN(9)]
}

// drawOperation is an operation with such steps, sometimes final, if it only reads.
func drawOperation(r *rand.Rand, n int, model journal.Model, steps ...journal.Step) journal.Event {
	from, to := drawTimes(r, n)
	e := happened(r.IntN(3), from, to, drawOutcome(r), model, drawLevel(r), steps...)
	if !e.Op.Changes() && r.IntN(6) == 0 {
		e.Op.Final, e.Op.Level, e.Op.Client = true, local, journal.None
		e.Node = r.IntN(3)
	}
	e.Op.Unread = e.Op.Outcome == ok && r.IntN(12) == 0 && slices.ContainsFunc(steps, journal.Step.Answers)
	return e
}

// carryOut fills in what a correct store answers. Each operation takes effect at some
// instant within its time, or, if its outcome is unknown, perhaps late, or never. What
// the store cannot do has failed.
func carryOut(r *rand.Rand, h history, s state, apply semantics) {
	type instant struct{ op, at int }
	const never = 1 << 30
	var order []instant
	for i, e := range h {
		from, took := int(e.At.Sub(begun)/time.Millisecond), int(e.Took/time.Millisecond)
		at := 10*from + r.IntN(10*took+1)
		switch {
		case e.Op.Outcome == failed || e.Op.Outcome == unknown && r.IntN(3) == 0:
			at = never
		case e.Op.Final:
			at += 1 << 20
		case e.Op.Outcome == unknown:
			at = 10*from + r.IntN(150)
		}
		order = append(order, instant{i, at})
	}
	slices.SortStableFunc(order, func(a, b instant) int { return cmp.Compare(a.at, b.at) })
	for _, o := range order {
		if o.at < never {
			s = carryOutOne(h[o.op].Op, s, apply)
		}
	}
}

func carryOutOne(op *journal.Op, s state, apply semantics) state {
	now, can := s, true
	for i := range op.Steps {
		step := &op.Steps[i]
		if op.Outcome == ok && !op.Unread {
			answer(step, now)
		}
		if now, can = apply(now, journal.Event{Op: &journal.Op{Model: op.Model, Steps: []journal.Step{*step}}}, false); !can {
			break
		}
	}
	if can {
		return now
	}
	if op.Outcome == ok {
		op.Outcome, op.Unread = failed, false
		for i := range op.Steps {
			op.Steps[i].Got = nil
		}
	}
	return s
}

func answer(step *journal.Step, s state) {
	switch step.Do {
	case journal.Read:
		step.Got = append([]int64{}, s[step.Key]...)
	case journal.CAS:
		step.Got = []int64{0}
		if slices.Equal(s[step.Key], []int64{step.Old}) {
			step.Got[0] = 1
		}
	}
}

// spoil changes the answer of some operation, by what change does to a read.
func spoil(r *rand.Rand, h history, change func(got []int64) []int64) {
	op := h[r.IntN(len(h))].Op
	step := &op.Steps[r.IntN(len(op.Steps))]
	switch {
	case step.Got == nil:
	case step.Do == journal.CAS:
		step.Got = []int64{1 - step.Got[0]}
	default:
		step.Got = change(slices.Clone(step.Got))
	}
}
