package check

import (
	"bytes"
	"fmt"
	"math"

	"github.com/anishathalye/porcupine"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// mostPictured limits the number of operations in a picture.
const mostPictured = 60

// picture returns porcupine's picture of a register up to the operation that cannot be explained, with the faults of all events;
// nil if porcupine cannot draw it.
func picture(events, all []*journal.Event) []byte {
	var drawn []porcupine.Operation
	ops := registerOps(events)
	whole := len(ops) <= mostPictured
	for _, op := range ops[max(0, len(ops)-mostPictured):] {
		drawn = append(drawn, drawing(op))
	}
	left := pictureSteps
	model := pictureModel(whole, &left)
	_, info := porcupine.CheckOperationsVerbose(model, drawn, 0)
	info.AddAnnotations(annotations(all, drawn))
	left = math.MaxInt // drawing repeats what was found
	var html bytes.Buffer
	if err := porcupine.Visualize(model, info, &html); err != nil {
		return nil
	}
	return html.Bytes()
}

// mostAnnotated limits the number of faults in a picture.
const mostAnnotated = 40

// annotations are the faults in force at the time of the drawn operations.
func annotations(all []*journal.Event, drawn []porcupine.Operation) []porcupine.Annotation {
	from, to := int64(math.MaxInt64), int64(0)
	for _, op := range drawn {
		from = min(from, op.Call)
		if op.Return < math.MaxInt64 {
			to = max(to, op.Return)
		}
	}
	to = max(from, to)
	over := make(map[uint64]int64)
	for _, e := range all {
		if e.Fault != nil {
			for _, id := range e.Fault.Ended {
				over[id] = e.End().UnixNano()
			}
		}
	}
	var found []porcupine.Annotation
	for _, e := range all {
		if e.Fault == nil || e.Fault.Phase != journal.Begins || e.Fault.ID == 0 || len(found) == mostAnnotated {
			continue
		}
		begin, end := e.At.UnixNano(), over[e.Fault.ID]
		if end == 0 {
			end = to
		}
		if begin = max(begin, from); begin < min(end, to) {
			found = append(found, porcupine.Annotation{Tag: "faults", Start: begin, End: min(end, to),
				Description: e.Fault.String(), Details: e.String()})
		}
	}
	return found
}

// pictureSteps limits porcupine's search for the orders that a picture shows.
const pictureSteps = 200_000

func drawing(op registerOp) porcupine.Operation {
	end := int64(math.MaxInt64)
	if op.event.Op.Outcome == journal.OK {
		end = op.event.End().UnixNano()
	} else if op.by != nil {
		end = max(op.by.End().UnixNano(), op.event.At.UnixNano())
	}
	return porcupine.Operation{ClientId: max(op.event.Op.Client, 0), Input: op.steps, Call: op.event.At.UnixNano(), Return: end}
}

// pictured is the value of a register in a picture. It is unknown at the start of a picture that
// shows only the end of a history.
type pictured struct {
	anything, there bool
	value           int64
}

func pictureModel(whole bool, left *int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return pictured{anything: !whole} },
		Step: func(state, input, _ any) (bool, any) {
			if *left--; *left < 0 {
				return false, state
			}
			is := state.(pictured)
			for _, s := range input.([]journal.Step) {
				var can bool
				if is, can = is.after(s); !can {
					return false, state
				}
			}
			return true, is
		},
		DescribeOperation: func(input, _ any) string { return journal.Op{Steps: input.([]journal.Step)}.String() },
		DescribeState: func(state any) string {
			switch is := state.(pictured); {
			case is.anything:
				return "anything"
			case is.there:
				return fmt.Sprint(is.value)
			}
			return "nothing"
		},
	}
}

func (p pictured) after(s journal.Step) (pictured, bool) {
	matches := p.there && p.value == s.Old
	switch {
	case s.Do == journal.Write:
		return pictured{there: true, value: s.Value}, true
	case s.Do == journal.CAS && s.Got != nil && s.Got[0] == 0:
		return p, p.anything || !matches
	case s.Do == journal.CAS && s.Got != nil:
		return pictured{there: true, value: s.Value}, p.anything || matches
	case s.Do == journal.CAS && matches:
		return pictured{there: true, value: s.Value}, true
	case s.Do == journal.CAS || s.Got == nil:
		return p, true
	case len(s.Got) == 0:
		return pictured{}, p.anything || !p.there
	}
	return pictured{there: true, value: s.Got[0]}, p.anything || p.there && p.value == s.Got[0]
}
