package check

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// register is the model of one register. A state is a value: 0 for none, and one number for each
// value that some read or compare distinguishes. All other values share one number.
type register struct {
	values    map[int64]int
	classes   [][]registerStep
	readers   [][]int // by value: the classes that take effect only while the register holds it
	suppliers [][]int // by value: the classes that may leave it
	unique    bool    // no value is written twice
	refusals  bool    // some compare may not have matched
}

// registerStep is a step with values of the model; -1 for unknown.
type registerStep struct {
	do              journal.Do
	old, value, got int
}

const (
	absent  = 0
	another = 1 // a value that no read or compare distinguishes
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
		default:
		}
	}
	return state, true
}

// allows is false if a value is overwritten that a pending read needs and that no operation can
// restore.
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

// registerOp is an operation on a register, prepared for the search.
type registerOp struct {
	event *journal.Event
	steps []journal.Step // Got is nil if it need not fit
	by    *journal.Event // for an unknown outcome: the first operation that shows that it took effect
}

// newRegister returns a search for an order of operations on one register. relaxed leaves out compares
// that need not have matched: if there is no order without them, there is none with them.
func newRegister(ops []registerOp, relaxed bool, b *budget) *search {
	r := &register{values: make(map[int64]int), readers: make([][]int, 2), suppliers: make([][]int, 2)}
	if relaxed {
		ops = slices.DeleteFunc(slices.Clone(ops), func(op registerOp) bool {
			return len(op.steps) == 1 && op.steps[0].Do == journal.CAS && op.by == nil && !matched(op.steps[0])
		})
	}
	r.learn(ops)
	s := newSearch(r, b)
	known := make(map[string]int)
	for _, op := range ops {
		if op.event.Op.Outcome == journal.Unknown && op.by == nil && !r.refusals && r.unnoticed(op) {
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
		s.add(op.task(class))
	}
	return s
}

func (op registerOp) task(class int) task {
	t := taskOf(op.event, class)
	if op.by == nil {
		return t
	}
	t.unknown, t.to = false, endOfWork
	if !op.by.Op.Final {
		t.to = op.by.End()
	}
	if t.to.Before(t.from) {
		t.to = t.from
	}
	return t
}

func matched(s journal.Step) bool { return s.Do == journal.CAS && s.Got != nil && s.Got[0] == 1 }

// tells whether any operation shows a value of the register.
func observed(ops []registerOp) bool {
	return slices.ContainsFunc(ops, func(op registerOp) bool {
		return slices.ContainsFunc(op.steps, func(s journal.Step) bool { return s.Got != nil })
	})
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
	showUnknown(ops)
	return ops
}

// learn numbers the values that some operation distinguishes.
func (r *register) learn(ops []registerOp) {
	r.unique = true
	written := make(map[int64]bool)
	for _, op := range ops {
		r.unique = r.unique && len(op.steps) == 1
		for _, s := range op.steps {
			for _, v := range s.Got {
				if s.Reads() {
					r.number(v)
				}
			}
			if s.Do == journal.CAS {
				r.number(s.Old)
				r.refusals = r.refusals || !matched(s) && (s.Got != nil || op.event.Op.Outcome == journal.OK)
			}
			if !s.Reads() {
				r.unique = r.unique && !written[s.Value]
				written[s.Value] = true
			}
		}
	}
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

// unnoticed tells whether no operation shows that this one took effect.
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

// showUnknown finds the operations whose value no other operation writes and some read or compare
// shows. Each took effect before the end of the first that shows it; if it is a compare, it matched.
func showUnknown(ops []registerOp) {
	writers := make(map[int64][]int) // which operations write a value
	shown := make(map[int64]*journal.Event)
	show := func(value int64, by *journal.Event) {
		if first := shown[value]; first == nil || endsAfter(first, by) {
			shown[value] = by
		}
	}
	for i, op := range ops {
		for _, s := range op.steps {
			if value, is := shows(s); is && len(op.steps) == 1 {
				show(value, op.event)
			}
			if !s.Reads() {
				writers[s.Value] = append(writers[s.Value], i)
			}
		}
	}
	for again := true; again; {
		again = false
		for value, by := range shown {
			if len(writers[value]) != 1 {
				continue
			}
			op := &ops[writers[value][0]]
			if len(op.steps) != 1 || op.event.Op.Outcome == journal.Unknown && op.by != nil && !endsAfter(op.by, by) {
				continue
			}
			s := op.steps[0]
			if op.event.Op.Outcome == journal.Unknown {
				op.by, again = by, true
			}
			if s.Do == journal.CAS && s.Got == nil {
				op.steps, again = []journal.Step{s}, true
				op.steps[0].Got = []int64{1}
			}
			if s.Do == journal.CAS && op.by != nil {
				show(s.Old, op.by)
			} else if s.Do == journal.CAS && matched(op.steps[0]) {
				show(s.Old, op.event)
			}
		}
	}
}

// shows returns the value of the register that the step shows.
func shows(s journal.Step) (value int64, is bool) {
	switch {
	case s.Reads() && len(s.Got) == 1:
		return s.Got[0], true
	case matched(s):
		return s.Old, true
	}
	return 0, false
}
