package check

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// register is the model of one register. Its states are values: 0 if there is none, and
// the values that some read or compare tells from others. All other values are alike.
type register struct {
	values    map[int64]int
	classes   [][]registerStep
	readers   [][]int // by value: the classes that take effect only while the register holds it
	suppliers [][]int // by value: the classes that may leave it
}

// registerStep is a step with values of the model. What is not known is -1.
type registerStep struct {
	do              journal.Do
	old, value, got int
}

const (
	absent  = 0
	another = 1 // a value that nothing tells from others
)

func (r *register) apply(state, class int) (int, bool) {
	for _, s := range r.classes[class] {
		switch s.do {
		case journal.Read:
			if s.got >= 0 && s.got != state {
				return state, false
			}
		case journal.Write:
			state = s.value
		case journal.CAS:
			matches := state == s.old
			if s.got >= 0 && matches != (s.got == 1) {
				return state, false
			}
			if matches {
				state = s.value
			}
		}
	}
	return state, true
}

// allows is false if a value is overwritten that somebody has yet to read, and that no
// operation can bring back.
func (r *register) allows(s *search, c *config, class, next int) bool {
	if next == c.state {
		return true
	}
	readers := 0
	for _, reader := range r.readers[c.state] {
		readers += s.due(c, reader)
		if reader == class {
			readers--
		}
	}
	return readers <= 0 || slices.ContainsFunc(r.suppliers[c.state], func(class int) bool { return s.left(c, class) > 0 })
}

// registerOps are the operations on one register that its search needs, with what they
// read if it counts.
type registerOp struct {
	event *journal.Event
	steps []journal.Step // Got is nil if it does not count
	by    *journal.Event // of unknown outcome: the first that shows that it took effect
}

// newRegister makes the search for an order of operations on one register. Observed
// tells whether any of them tells what the register held.
func newRegister(events []*journal.Event, b *budget) (s *search, observed bool) {
	ops := registerOps(events)
	r := &register{values: make(map[int64]int), readers: make([][]int, 2), suppliers: make([][]int, 2)}
	observed, refusals := r.learn(ops)
	showUnknown(ops)
	s = newSearch(r, b)
	known := make(map[string]int)
	for _, op := range ops {
		if op.event.Op.Outcome == journal.Unknown && op.by == nil && !refusals && r.unnoticed(op) {
			continue
		}
		steps := r.translate(op)
		key := fmt.Sprint(steps)
		class, is := known[key]
		if !is {
			class = s.newClass(onlyReads(steps))
			known[key] = class
			r.addClass(class, steps)
		}
		t := taskOf(op.event, class)
		if op.by != nil {
			t.unknown, t.to = false, endOfWork
			if !op.by.Op.Final {
				t.to = op.by.End()
			}
			if t.to.Before(t.from) {
				t.to = t.from
			}
		}
		s.add(t)
	}
	return s, observed
}

func registerOps(events []*journal.Event) []registerOp {
	var ops []registerOp
	for _, e := range events {
		if e.Op.Outcome == journal.Failed {
			continue
		}
		op := registerOp{event: e}
		tells := false
		for _, s := range e.Op.Steps {
			if s.Got != nil && (e.Op.Outcome != journal.OK || e.Op.Unread || s.Reads() && unobserved(e) != "") {
				s.Got = nil
			}
			if s.Reads() && s.Got == nil {
				continue
			}
			tells = true
			op.steps = append(op.steps, s)
		}
		if tells {
			ops = append(ops, op)
		}
	}
	return ops
}

// learn numbers the values that matter. Refusals tells whether some compare may not have
// matched, which tells what the register did not hold.
func (r *register) learn(ops []registerOp) (observed, refusals bool) {
	for _, op := range ops {
		for _, s := range op.steps {
			switch {
			case s.Reads():
				observed = true
				for _, v := range s.Got {
					r.number(v)
				}
			case s.Do == journal.CAS:
				r.number(s.Old)
				observed = observed || s.Got != nil
				refusals = refusals || s.Got != nil && s.Got[0] == 0 || s.Got == nil && op.event.Op.Outcome == journal.OK
			}
		}
	}
	return observed, refusals
}

func (r *register) number(v int64) {
	if _, is := r.values[v]; !is {
		r.values[v] = len(r.values) + 2
		r.readers = append(r.readers, nil)
		r.suppliers = append(r.suppliers, nil)
	}
}

func (r *register) of(v int64) int {
	if n, is := r.values[v]; is {
		return n
	}
	return another
}

// unnoticed tells whether nothing tells that the operation took effect.
func (r *register) unnoticed(op registerOp) bool {
	return !slices.ContainsFunc(op.steps, func(s journal.Step) bool { return r.of(s.Value) != another })
}

func (r *register) translate(op registerOp) []registerStep {
	var steps []registerStep
	for _, s := range op.steps {
		t := registerStep{do: s.Do, old: -1, value: -1, got: -1}
		switch s.Do {
		case journal.Read:
			t.got = absent
			if len(s.Got) > 0 {
				t.got = r.of(s.Got[0])
			}
		case journal.CAS:
			t.old, t.value = r.of(s.Old), r.of(s.Value)
			if s.Got != nil {
				t.got = int(s.Got[0])
			}
		default:
			t.value = r.of(s.Value)
		}
		steps = append(steps, t)
	}
	return steps
}

func onlyReads(steps []registerStep) bool {
	return !slices.ContainsFunc(steps, func(s registerStep) bool { return s.do != journal.Read && (s.do != journal.CAS || s.got != 0) })
}

func (r *register) addClass(class int, steps []registerStep) {
	r.classes = append(r.classes, steps)
	switch first := steps[0]; {
	case first.do == journal.Read:
		r.readers[first.got] = append(r.readers[first.got], class)
	case first.do == journal.CAS && first.got == 1:
		r.readers[first.old] = append(r.readers[first.old], class)
	}
	for _, s := range steps {
		if s.value >= 0 && s.got != 0 && !slices.Contains(r.suppliers[s.value], class) {
			r.suppliers[s.value] = append(r.suppliers[s.value], class)
		}
	}
}

// showUnknown finds for each operation of unknown outcome, whose value no other writes,
// the first that shows that it took effect: it took effect by the end of that.
func showUnknown(ops []registerOp) {
	writers := make(map[int64]int) // how many steps write a value
	shown := make(map[int64]*journal.Event)
	for _, op := range ops {
		written := make(map[int64]bool)
		for _, s := range op.steps {
			value, is := shows(s)
			if first := shown[value]; is && !written[value] && (first == nil || endsAfter(first, op.event)) {
				shown[value] = op.event
			}
			if !s.Reads() {
				writers[s.Value]++
				written[s.Value] = true
			}
		}
	}
	for i, op := range ops {
		if op.event.Op.Outcome != journal.Unknown || len(op.steps) != 1 || writers[op.steps[0].Value] != 1 {
			continue
		}
		if by := shown[op.steps[0].Value]; by != nil && by != op.event {
			ops[i].by = by
		}
	}
}

// shows is the value that the step shows that the register held.
func shows(s journal.Step) (value int64, is bool) {
	switch {
	case s.Reads() && len(s.Got) == 1:
		return s.Got[0], true
	case s.Do == journal.CAS && s.Got != nil && s.Got[0] == 1:
		return s.Old, true
	}
	return 0, false
}
