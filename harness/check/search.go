package check

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// A search decides whether the operations on one object have an order that explains
// what they read and fits real time. It is just-in-time linearization (Lowe, "Testing
// for linearizability", CCPE 2017): it visits the beginnings and ends of operations in
// time order with all configurations that are possible so far, and an operation takes effect no
// earlier than an end demands. Its work is counted, not timed. A search is used once, by one
// goroutine.
type search struct {
	model    model
	classes  []class
	tasks    []task
	active   []int // classes with operations in progress
	free     []int // free slots
	slots    int
	frontier []*config
	budget   *budget
	width    int  // how many configurations are kept; 0 for all
	narrowed bool // some were dropped, so finding no order proves nothing
	patient  bool // a final read may be explained later: others show parts of the state that it does not
}

// model is the sequential semantics of one object. States are numbers of the model's choice.
type model interface {
	// apply returns the state after an operation of the class; false if none can take effect here.
	apply(state, class int) (int, bool)
	// allows is false only if no order continues after an operation of the class has taken c to the
	// state next.
	allows(s *search, c *config, class, next int) bool
}

// hasty is a model with operations that may take effect at once.
type hasty interface {
	// eager tells whether taking effect now is as good as at any later time.
	eager(s *search, c *config, class int) bool
}

// commuting is a model whose changes commute and are possible in every state.
type commuting interface {
	// exchanges tells whether every continuation of b is one of a. Both are in the same state, and
	// differ only in the operations of unknown outcome that they have used.
	exchanges(s *search, a, b *config) bool
}

// guided is a model that knows which operations lead to another one.
type guided interface {
	// towards returns the classes whose operations may come next on the way from c to one of the
	// class, if all others are no better; nil if unknown.
	towards(s *search, c *config, class int) []int
}

// hiding is a model in which the next operation can hide the effect of one before it.
type hiding interface {
	// hide applies operations to c, just before one of the class, that are better applied than not.
	hide(s *search, c *config, class int)
}

// leaping is a model that knows strides: lists of classes, where one operation of each together lead
// to a state in which a read can be explained.
type leaping interface {
	// leaps returns strides from c that may come before an operation of the class, and the one that
	// leads to it.
	leaps(s *search, c *config, class int) [][]int
}

// class has the operations with the same effect in every state.
type class struct {
	reads   bool  // they change nothing, except that they may fix the initial state
	future  int   // how many have not begun and will take effect
	perhaps int   // how many have not begun and may take effect
	under   []int // tasks in progress that will take effect, in the order of their ends
	spare   int   // how many have begun and may take effect at any time
	active  bool
}

// task is one operation of a search.
type task struct {
	event   *journal.Event
	class   int
	from    time.Time
	to      time.Time // unless it is unknown
	final   bool      // it only reads, and comes after all that are not final
	always  bool      // it may take effect from the beginning on
	unknown bool      // it may never take effect
	slot    int
}

// budget limits searches, in bytes of the configurations that they make.
type budget struct{ left int }

// perRule is the budget of one rule for a history. Beyond it the verdict is undecided.
const perRule = 256 << 20

func (b *budget) spend(bytes int) bool {
	b.left -= bytes
	return b.left > 0
}

func newSearch(m model, b *budget) *search { return &search{model: m, budget: b} }

// newClass adds a class of operations.
func (s *search) newClass(reads bool) int {
	s.classes = append(s.classes, class{reads: reads})
	return len(s.classes) - 1
}

func (s *search) add(t task) {
	s.tasks = append(s.tasks, t)
	if t.unknown {
		s.classes[t.class].perhaps++
	} else {
		s.classes[t.class].future++
	}
}

// taskOf returns a task with the beginning and the end of the event. An event of unknown outcome has
// no end.
func taskOf(e *journal.Event, class int) task {
	return task{event: e, class: class, from: e.At, to: e.End(), final: e.Op.Final, unknown: e.Op.Outcome == journal.Unknown}
}

// due returns how many of the class must take effect and have not in c.
func (s *search) due(c *config, class int) int {
	k := &s.classes[class]
	n := k.future
	for _, t := range k.under {
		if !c.has(s.tasks[t].slot) {
			n++
		}
	}
	return n
}

// left returns how many of the class can still take effect after c.
func (s *search) left(c *config, class int) int {
	k := &s.classes[class]
	return s.due(c, class) + k.perhaps + s.spare(c, class)
}

// spare returns how many of the class, of unknown outcome, can take effect now. At rest none can.
func (s *search) spare(c *config, class int) int {
	if c.rest {
		return 0
	}
	return s.classes[class].spare - c.usedOf(class)
}

// take marks one of the class as effective in c: of those that are possible, the one that ends first.
// It does not change the state.
func (s *search) take(c *config, class int) bool {
	k := &s.classes[class]
	for _, t := range k.under {
		if slot := s.tasks[t].slot; !c.has(slot) {
			c.set(slot)
			if s.tasks[t].final {
				c.rest, c.used = true, nil
			}
			return true
		}
	}
	if s.spare(c, class) > 0 {
		c.use(class)
		return true
	}
	return false
}

// takeable tells whether take would succeed.
func (s *search) takeable(c *config, class int) bool {
	k := &s.classes[class]
	return s.spare(c, class) > 0 || slices.ContainsFunc(k.under, func(t int) bool { return !c.has(s.tasks[t].slot) })
}

// takeableInTime tells whether take would succeed for an operation that will take effect.
func (s *search) takeableInTime(c *config, class int) bool {
	return slices.ContainsFunc(s.classes[class].under, func(t int) bool { return !c.has(s.tasks[t].slot) })
}

// waits tells whether a read that c explains may be better explained later: operations of unknown
// outcome that others show must take effect before a final read.
func (s *search) waits(c *config, class int) bool {
	if !s.patient || c.rest {
		return false
	}
	for _, t := range s.classes[class].under {
		if s.tasks[t].final && !c.has(s.tasks[t].slot) {
			return slices.ContainsFunc(s.active, func(class int) bool { return s.spare(c, class) > 0 })
		}
	}
	return false
}
