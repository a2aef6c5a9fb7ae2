package check

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// thought is what Linearizable spends on one register before it says that it cannot
// tell. It is counted in bytes that porcupine keeps, and not in time: time stands still
// in a bubble while somebody thinks, and one history has one verdict on every machine.
const thought = 512 << 20

// Linearizable judges registers (journal.Register): each must look as if everything
// that was done to it was done at one instant between its beginning and its end
// (Herlihy and Wing, "Linearizability", TOPLAS 1990). It is decided by porcupine, key
// by key. Strong and final reads count, and so do all changes; what nobody knows of
// may have been done at any time after it began, or never.
//
// The Violation has porcupine's picture of the register.
func Linearizable(events []journal.Event) error { return linearizableRule.Judge(events).Err() }

func judgeLinearizable(h history) error {
	operations := h.of(journal.Register)
	if !happened(operations) {
		return nothing("no register was read or written")
	}
	keys, steps := byKey(operations)
	for _, key := range keys {
		if err := h.linearizable(key, steps[key]); err != nil {
			return err
		}
	}
	return nil
}

func (h history) linearizable(key string, steps []step) error {
	var operations []porcupine.Operation
	var judged []*journal.Event
	for _, s := range relevant(steps) {
		operations = append(operations, h.asOperation(s, steps))
		judged = append(judged, s.event)
	}
	mind := &mind{left: thought, state: len(operations)/8 + stateOverhead}
	result, info := porcupine.CheckOperationsVerbose(mind.model(), operations, 0)
	switch {
	case result == porcupine.Ok:
		return nil
	case mind.left <= 0:
		return fmt.Errorf("%w: %s: too many of its %d operations are concurrent or have no outcome", ErrUndecided, key, len(operations))
	}
	stuck := firstStuck(info.PartialLinearizations(), judged)
	v := h.violation("not linearizable", stuck, "no order of the %d operations on %s explains what they read; with all before it, this cannot be explained:", len(operations), key)
	var picture bytes.Buffer
	if err := porcupine.Visualize(registerModel, info, &picture); err == nil {
		v.HTML = picture.Bytes()
	}
	return v
}

// mind counts what porcupine spends. One that is empty finds no step possible, which
// ends the search.
type mind struct {
	left  int // bytes
	state int // what it costs to remember one state of the search
}

const (
	stateOverhead = 128 // bytes of a remembered state, without which operations are done
	stepCost      = 16  // bytes that a step without a new state counts as, for its time
)

func (m *mind) model() porcupine.Model {
	model := registerModel
	model.Step = func(state, input, output any) (bool, any) {
		if m.left -= stepCost; m.left <= 0 {
			return false, state
		}
		possible, next := registerModel.Step(state, input, output)
		if possible {
			m.left -= m.state
		}
		return possible, next
	}
	return model
}

// firstStuck are the operations around the first that the longest order that was
// found does not hold.
func firstStuck(partial [][][]int, judged []*journal.Event) []*journal.Event {
	longest := []int{}
	for _, partition := range partial {
		for _, order := range partition {
			if len(order) > len(longest) {
				longest = order
			}
		}
	}
	in := make(map[int]bool, len(longest))
	for _, i := range longest {
		in[i] = true
	}
	stuck := -1
	for i := range judged {
		if !in[i] && (stuck < 0 || judged[i].End().Before(judged[stuck].End())) {
			stuck = i
		}
	}
	if stuck < 0 {
		return nil
	}
	witnesses := []*journal.Event{judged[stuck]}
	for _, i := range longest[max(0, len(longest)-4):] {
		witnesses = append(witnesses, judged[i])
	}
	return witnesses
}

// relevant leaves out what says nothing: what failed, reads of nothing known or of
// what may be old, and writes of which nobody knows and that nobody can have met.
func relevant(steps []step) []step {
	met := make(map[int64]bool)     // values that a read saw, or a compare asked for
	refused := make(map[string]int) // compares that did not match: they tell what was not there
	for _, s := range steps {
		if s.Do == journal.Read && s.knows() {
			for _, v := range s.Got {
				met[v] = true
			}
		}
		if s.Do == journal.CAS {
			met[s.Old] = true
			if s.knows() && s.Got[0] == 0 {
				refused[s.Key]++
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(steps), func(s step) bool {
		switch {
		case s.was(journal.Failed):
			return true
		case s.Do == journal.Read:
			return !s.knows() || !s.fresh()
		case s.was(journal.Unknown):
			return !met[s.Value] && refused[s.Key] == 0
		}
		return false
	})
}

type registerState struct {
	there bool
	value int64
}

type registerInput struct {
	do         journal.Do
	old, value int64
}

var registerModel = porcupine.Model{
	Init: func() any { return registerState{} },
	Step: func(state, input, output any) (bool, any) {
		is, in := state.(registerState), input.(registerInput)
		got, known := output.([]int64)
		switch in.do {
		case journal.Read:
			if is.there {
				return len(got) == 1 && got[0] == is.value, is
			}
			return len(got) == 0, is
		case journal.CAS:
			matches := is.there && is.value == in.old
			if known && matches != (got[0] == 1) {
				return false, is
			}
			if !matches {
				return true, is
			}
		}
		return true, registerState{true, in.value}
	},
	DescribeOperation: func(input, output any) string {
		in := input.(registerInput)
		got, _ := output.([]int64)
		return journal.Step{Do: in.do, Old: in.old, Value: in.value, Got: got}.String()
	},
	DescribeState: func(state any) string {
		if is := state.(registerState); is.there {
			return fmt.Sprint(is.value)
		}
		return "nothing"
	},
}

// asOperation is the step in porcupine's terms. What nobody knows of has no end,
// unless somebody saw its value, which nobody else wrote: then it was done by then.
func (h history) asOperation(s step, all []step) porcupine.Operation {
	o := porcupine.Operation{
		ClientId: max(s.event.Op.Client, 0),
		Input:    registerInput{s.Do, s.Old, s.Value},
		Call:     s.event.At.Sub(h.begun).Nanoseconds(),
		Return:   s.event.End().Sub(h.begun).Nanoseconds(),
	}
	if s.Got != nil && s.was(journal.OK) {
		o.Output = s.Got
	}
	if s.was(journal.Unknown) {
		o.Return = h.doneBy(s, all)
	}
	return o
}

func (h history) doneBy(s step, all []step) int64 {
	by := int64(math.MaxInt64)
	for _, other := range all {
		switch {
		case other.Do == journal.Read && other.knows() && slices.Contains(other.Got, s.Value):
			by = min(by, other.event.End().Sub(h.begun).Nanoseconds())
		case other.Do != journal.Read && other.Value == s.Value && !other.event.At.Equal(s.event.At):
			return math.MaxInt64
		}
	}
	return by
}

// Picture is porcupine's picture of the first register that is not linearizable, as
// HTML; nil if all are.
func Picture(events []journal.Event) []byte {
	if v, is := errors.AsType[*Violation](Linearizable(events)); is {
		return v.HTML
	}
	return nil
}
