package check

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// numbers is the model of counters and of the accounts of a bank. A state is the index of a list of
// balances by account.
type numbers struct {
	grows    bool // counters: all begin at 0, and increments are positive
	accounts map[string]int
	classes  [][]numberStep
	readers  [][]reading // counters only: by account, the lowest number first
	states   [][]balance
	known    map[string]int
}

// numberStep is a step with an account of the model.
type numberStep struct {
	do      journal.Do
	account int
	value   int64
	got     []int64 // nil if unknown
}

// reading is a class that reads a number.
type reading struct {
	class int
	got   int64
}

// balance is the content of an account.
type balance struct {
	is    existence
	value int64 // of an unread account: the sum of what was added
	low   int64 // the lowest value so far
}

type existence byte

const (
	closed  existence = iota // it does not exist
	opened                   // it holds value
	unread                   // it existed before the history began, with an unknown balance
	unheard                  // it is unread or closed
)

func newNumbers(grows bool, events []*journal.Event) *numbers {
	n := &numbers{grows: grows, accounts: make(map[string]int), known: make(map[string]int)}
	for _, e := range events {
		for _, s := range e.Op.Steps {
			if _, is := n.accounts[s.Key]; !is {
				n.accounts[s.Key] = len(n.accounts)
			}
		}
	}
	n.readers = make([][]reading, len(n.accounts))
	return n
}

// start returns the state before the history.
func (n *numbers) start(events []*journal.Event) int {
	holds := make([]balance, len(n.accounts))
	for i := range holds {
		holds[i].is = unheard
		if n.grows {
			holds[i].is = opened
		}
	}
	for _, e := range events {
		for _, s := range e.Op.Steps {
			if s.Do == journal.Write {
				holds[n.accounts[s.Key]].is = closed
			}
		}
	}
	return n.state(holds)
}

func (n *numbers) state(holds []balance) int {
	key := make([]byte, 0, 17*len(holds))
	for _, b := range holds {
		key = append(key, byte(b.is))
		key = binary.LittleEndian.AppendUint64(key, uint64(b.value))
		key = binary.LittleEndian.AppendUint64(key, uint64(b.low))
	}
	state, is := n.known[string(key)]
	if !is {
		state = len(n.states)
		n.known[string(key)] = state
		n.states = append(n.states, holds)
	}
	return state
}

func (n *numbers) apply(state, class int) (int, bool) {
	was := n.states[state]
	holds := was
	for _, s := range n.classes[class] {
		next, can := holds[s.account].after(s)
		if !can {
			return state, false
		}
		if next == holds[s.account] {
			continue
		}
		if &holds[0] == &was[0] {
			holds = slices.Clone(was)
		}
		holds[s.account] = next
	}
	if &holds[0] == &was[0] {
		return state, true
	}
	for i, b := range holds { // an operation may be negative in between
		if b.is == opened && b.value < 0 {
			return state, false
		}
		holds[i].low = min(b.low, b.value)
		if b.is == opened || b.is == closed {
			holds[i].low = 0
		}
	}
	return n.state(holds), true
}

func (b balance) after(s numberStep) (balance, bool) {
	switch s.do {
	case journal.Write:
		return balance{is: opened, value: s.value}, b.is == closed
	case journal.Increment:
		if b.is == unheard {
			b.is = unread
		}
		b.value += s.value
		return b, b.is != closed
	default:
	}
	switch {
	case s.got == nil:
		return b, true
	case len(s.got) == 0:
		return balance{is: closed}, b.is == closed || b.is == unheard
	case b.is == opened:
		return b, b.value == s.got[0]
	case b.is == closed:
		return b, false
	}
	began := s.got[0] - b.value // what it held before the history
	return balance{is: opened, value: s.got[0]}, s.got[0] >= 0 && began >= 0 && began+b.low >= 0
}

// allows is false if a counter has passed a number that a pending read returns.
func (n *numbers) allows(s *search, c *config, class, next int) bool {
	if !n.grows || next == c.state {
		return true
	}
	was, is := n.states[c.state], n.states[next]
	for account := range is {
		if is[account] == was[account] {
			continue
		}
		readers := n.readers[account]
		for len(readers) > 0 && s.classes[readers[0].class].future == 0 && len(s.classes[readers[0].class].under) == 0 {
			readers = readers[1:]
		}
		n.readers[account] = readers
		for _, r := range readers {
			if r.got >= is[account].value {
				break
			}
			if r.class != class && s.due(c, r.class) > 0 {
				return false
			}
		}
	}
	return true
}

// newSearch returns a search for an order of the operations. stale tells whether reads that need not
// fit real time must show a state of that order.
func (n *numbers) newSearch(events []*journal.Event, stale bool, b *budget) *search {
	s := newSearch(model(n), b)
	commutes := n.grows
	classes := make(map[string]int)
	for _, e := range events {
		always := stale && !e.Op.Changes() && unobserved(e) == mayBeStale
		steps := n.translate(e, always || unobserved(e) == "")
		if len(steps) == 0 {
			continue
		}
		key := fmt.Sprint(steps)
		class, is := classes[key]
		if !is {
			class = s.newClass(!e.Op.Changes())
			classes[key] = class
			n.addClass(class, steps)
		}
		commutes = commutes && (!e.Op.Changes() || onlyIncrements(steps))
		t := taskOf(e, class)
		t.always = always
		s.patient = s.patient || t.final && touched(steps) < len(n.accounts)
		s.add(t)
	}
	for _, readers := range n.readers {
		slices.SortFunc(readers, func(a, b reading) int { return cmp.Compare(a.got, b.got) })
	}
	if commutes {
		s.model = counters{n}
	}
	return s
}

// touched returns the number of accounts in the steps.
func touched(steps []numberStep) int {
	accounts := make(map[int]bool)
	for _, s := range steps {
		accounts[s.account] = true
	}
	return len(accounts)
}

func onlyIncrements(steps []numberStep) bool {
	return !slices.ContainsFunc(steps, func(s numberStep) bool { return s.do != journal.Increment })
}

// translate returns the steps that observe or change a balance.
func (n *numbers) translate(e *journal.Event, observed bool) []numberStep {
	var steps []numberStep
	for _, s := range e.Op.Steps {
		switch {
		case !s.Reads():
			steps = append(steps, numberStep{do: s.Do, account: n.accounts[s.Key], value: s.Value})
		case observed:
			steps = append(steps, numberStep{do: s.Do, account: n.accounts[s.Key], got: s.Got})
		}
	}
	return steps
}

func (n *numbers) addClass(class int, steps []numberStep) {
	n.classes = append(n.classes, steps)
	added := make(map[int]int64) // by the operation itself, before it reads
	for _, s := range steps {
		switch {
		case s.do == journal.Increment:
			added[s.account] += s.value
		case n.grows && len(s.got) == 1:
			n.readers[s.account] = append(n.readers[s.account], reading{class, s.got[0] - added[s.account]})
		}
	}
}
