package check

import (
	"encoding/binary"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// elements is the model of one set to which a value is added at most once. A state is the index of a
// set of values. Most orders need not be tried: a value can be added as soon as no pending read
// lacks it.
type elements struct {
	index   map[int64]int // by value
	values  []element
	classes []elementStep
	states  [][]uint64 // a bit for each element
	known   map[string]int
}

// element is a value and its classes of operations; -1 for none.
type element struct {
	add      int
	removes  []int
	lastHas  int // of the reads that have the value the class of the one that begins last
	lastLack int // and of those that lack it
}

type elementStep struct {
	do      journal.Do
	element int
	holds   []uint64 // of a read
}

// newElements returns a search for an order of the steps on one set. Of several inserts of a unique
// value, the first that may have succeeded stands for all.
func newElements(steps []step, b *budget) (*search, int) {
	m := &elements{index: make(map[int64]int), known: make(map[string]int)}
	s := newSearch(m, b)
	m.addChanges(s, steps)
	m.addReads(s, steps)
	return s, m.state(make([]uint64, (len(m.values)+63)/64))
}

func (m *elements) addChanges(s *search, steps []step) {
	added := soleAdds(steps)
	for _, value := range sorted(added) {
		m.index[value] = len(m.values)
		m.values = append(m.values, element{add: -1, lastHas: -1, lastLack: -1})
	}
	for _, st := range steps {
		if st.was(journal.Failed) || st.Reads() || added[st.Value].event == nil {
			continue
		}
		i := m.index[st.Value]
		if st.Do == journal.Remove {
			class := m.newClass(s, elementStep{do: journal.Remove, element: i})
			m.values[i].removes = append(m.values[i].removes, class)
			s.add(taskOf(st.event, class))
			continue
		}
		if a := added[st.Value]; a.event == st.event {
			m.values[i].add = m.newClass(s, elementStep{do: journal.Add, element: i})
			t := taskOf(st.event, m.values[i].add)
			if t.unknown {
				t.unknown, t.to = false, a.by
				if t.to.Before(t.from) {
					t.to = t.from
				}
			}
			s.add(t)
		}
	}
}

func (m *elements) newClass(s *search, e elementStep) int {
	m.classes = append(m.classes, e)
	return s.newClass(e.do == journal.Read)
}

func (m *elements) addReads(s *search, steps []step) {
	same := make(map[string]int)
	latest := make(map[int]*journal.Event) // by class
	for _, st := range steps {
		if !st.Reads() || unobserved(st.event) != "" {
			continue
		}
		holds := make([]uint64, (len(m.values)+63)/64)
		for _, value := range st.Got {
			i := m.index[value]
			holds[i>>6] |= 1 << (i & 63)
		}
		key := wordsKey(holds)
		class, is := same[key]
		if !is {
			class = m.newClass(s, elementStep{do: journal.Read, holds: holds})
			same[key] = class
		}
		s.add(taskOf(st.event, class))
		if last := latest[class]; last == nil || beginsAfter(st.event, last) {
			latest[class] = st.event
		}
		m.noteLast(class, holds, latest)
	}
}

// noteLast keeps, for each value, the classes of the last read with it and the last read without it.
func (m *elements) noteLast(class int, holds []uint64, latest map[int]*journal.Event) {
	for i := range m.values {
		last := &m.values[i].lastLack
		if has(holds, i) {
			last = &m.values[i].lastHas
		}
		if *last < 0 || !beginsAfter(latest[*last], latest[class]) {
			*last = class
		}
	}
}

func beginsAfter(a, b *journal.Event) bool {
	if a.Op.Final != b.Op.Final {
		return a.Op.Final
	}
	return a.At.After(b.At)
}

func has(bits []uint64, i int) bool { return bits[i>>6]&(1<<(i&63)) != 0 }

func wordsKey(words []uint64) string {
	key := make([]byte, 0, 8*len(words))
	for _, w := range words {
		key = binary.LittleEndian.AppendUint64(key, w)
	}
	return string(key)
}

func (m *elements) state(holds []uint64) int {
	key := wordsKey(holds)
	state, is := m.known[key]
	if !is {
		state = len(m.states)
		m.known[key] = state
		m.states = append(m.states, holds)
	}
	return state
}

func (m *elements) apply(state, class int) (int, bool) {
	e := m.classes[class]
	holds := m.states[state]
	if e.do == journal.Read {
		return state, slices.Equal(e.holds, holds)
	}
	if has(holds, e.element) == (e.do == journal.Add) {
		return state, true
	}
	next := slices.Clone(holds)
	next[e.element>>6] ^= 1 << (e.element & 63)
	return m.state(next), true
}

// wanted tells whether a pending read has the value, or lacks it.
func (m *elements) wanted(s *search, c *config, i int, present bool) bool {
	last := m.values[i].lastLack
	if present {
		last = m.values[i].lastHas
	}
	if last >= 0 && s.classes[last].future > 0 {
		return true
	}
	return slices.ContainsFunc(s.active, func(class int) bool {
		e := m.classes[class]
		return e.do == journal.Read && has(e.holds, i) == present && s.takeable(c, class)
	})
}

func (m *elements) allows(s *search, c *config, class, next int) bool {
	e := m.classes[class]
	switch {
	case next == c.state:
		return true
	case e.do == journal.Remove:
		return !m.wanted(s, c, e.element, true)
	}
	return !m.wanted(s, c, e.element, false) ||
		slices.ContainsFunc(m.values[e.element].removes, func(remove int) bool { return s.left(c, remove) > 0 })
}

func (m *elements) eager(s *search, c *config, class int) bool {
	e := m.classes[class]
	v := m.values[e.element]
	present := has(m.states[c.state], e.element)
	switch {
	case e.do == journal.Add:
		return !m.wanted(s, c, e.element, false) &&
			!slices.ContainsFunc(v.removes, func(remove int) bool { return s.due(c, remove) > 0 })
	case present:
		return !m.wanted(s, c, e.element, true)
	}
	return s.left(c, v.add) == 0
}
