package check

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// A search decides whether the operations on one object have an order that explains
// what they read and fits real time. It is just-in-time linearization (Lowe, "Testing
// for linearizability", CCPE 2017): it visits the beginnings and ends of operations in
// time with all configurations that are possible so far, and an operation takes effect
// no earlier than an end demands. Its work is counted, not timed. It is for one use by
// one goroutine.
type search struct {
	model    model
	classes  []class
	tasks    []task
	active   []int // classes with operations under way
	free     []int // slots that are free
	slots    int
	frontier []*config
	budget   *budget
	width    int  // how many configurations are kept; 0 for all
	narrowed bool // some were not kept: that no order was found proves nothing
	patient  bool // a final read may be explained later: others show parts of the state that it does not
}

// model is the sequential semantics of one object. States are numbers of the model's choice.
type model interface {
	// apply is the state after an operation of the class; false if none can take effect here.
	apply(state, class int) (int, bool)
	// allows is false only if no order goes on after an operation of the class has taken c
	// to the state next.
	allows(s *search, c *config, class, next int) bool
}

// hasty is a model with operations that need not wait.
type hasty interface {
	// eager tells whether to take effect now is as good as to do so at any later time.
	eager(s *search, c *config, class int) bool
}

// commuting is a model whose changes commute and are possible in every state.
type commuting interface {
	// exchanges tells whether a can go on in every way in which b can. Both are in the same
	// state, and differ only in which operations of unknown outcome they have used.
	exchanges(s *search, a, b *config) bool
}

// guided is a model that knows which operations lead to another.
type guided interface {
	// towards are the classes of which the next operation can be on the way from c to one of
	// the class, if all others lead to nothing better. Nil if it does not know.
	towards(s *search, c *config, class int) []int
}

// hiding is a model in which an operation can be hidden by one that follows at once.
type hiding interface {
	// hide makes take effect in c, just before one of the class, what is better done than not.
	hide(s *search, c *config, class int)
}

// leaping is a model that knows strides: classes of which one operation each leads to where
// a read can be explained.
type leaping interface {
	// leaps are strides from c that are worth taking before an operation of the class, and
	// that to it.
	leaps(s *search, c *config, class int) [][]int
}

// class is the operations with the same effect in every state.
type class struct {
	reads   bool  // they change nothing, unless they learn how the object began
	future  int   // how many have not begun and will take effect
	perhaps int   // how many have not begun and may take effect
	under   []int // tasks under way that will take effect, those that end first in front
	spare   int   // how many have begun and may take effect at any time
	active  bool
}

// task is one operation of a search.
type task struct {
	event   *journal.Event
	class   int
	from    time.Time
	to      time.Time // unless it is unknown
	final   bool      // it only reads, and follows all that are not final
	always  bool      // it may take effect from the beginning on
	unknown bool      // it may never take effect
	slot    int
}

// budget bounds searches, in bytes of the configurations that they make.
type budget struct{ left int }

// perRule is what one rule spends on a history before it says undecided.
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

// taskOf is a task that begins and ends as the event does. An event of unknown outcome
// has no end.
func taskOf(e *journal.Event, class int) task {
	return task{event: e, class: class, from: e.At, to: e.End(), final: e.Op.Final, unknown: e.Op.Outcome == journal.Unknown}
}

// due is how many of the class have to take effect, and have not in c.
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

// left is how many of the class can still take effect after c.
func (s *search) left(c *config, class int) int {
	k := &s.classes[class]
	return s.due(c, class) + k.perhaps + s.spare(c, class)
}

// spare is how many of the class, of unknown outcome, can take effect now. At rest
// those that have not will not.
func (s *search) spare(c *config, class int) int {
	if c.rest {
		return 0
	}
	return s.classes[class].spare - c.usedOf(class)
}

// take makes one of the class take effect in c: of those that are possible the one that
// ends first. It does not change the state.
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

// takeable tells whether take would.
func (s *search) takeable(c *config, class int) bool {
	k := &s.classes[class]
	return s.spare(c, class) > 0 || slices.ContainsFunc(k.under, func(t int) bool { return !c.has(s.tasks[t].slot) })
}

// takeableInTime tells whether take would, of an operation that will take effect.
func (s *search) takeableInTime(c *config, class int) bool {
	return slices.ContainsFunc(s.classes[class].under, func(t int) bool { return !c.has(s.tasks[t].slot) })
}

// waits tells whether a read that c explains is perhaps better explained later: operations
// of unknown outcome that others show must take effect before it, if it is final.
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
