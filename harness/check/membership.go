package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// membership has the operations on one key by value. It judges single values in single reads.
type membership struct {
	history
	key            string
	added, removed map[int64][]step
	shown          map[int64]*journal.Event // by the first read that counts in real time
	anyRead        map[int64]*journal.Event // by the first of all reads
}

func newMembership(h history, key string, steps []step) membership {
	m := membership{h, key, make(map[int64][]step), make(map[int64][]step), firstShown(steps), firstOfAny(steps)}
	for _, s := range steps {
		switch s.Do {
		case journal.Add, journal.Append, journal.Insert:
			m.added[s.Value] = append(m.added[s.Value], s)
		case journal.Remove:
			m.removed[s.Value] = append(m.removed[s.Value], s)
		default:
		}
	}
	return m
}

func (m membership) judge(read step) []*Violation {
	var found []*Violation
	there := make(map[int64]bool, len(read.Got))
	for _, value := range read.Got {
		if there[value] {
			found = append(found, m.violation("applied twice", m.witnesses(value, read), "%s holds %d twice", m.key, value))
			continue
		}
		there[value] = true
		if v := m.judgeThere(value, read); v != nil {
			found = append(found, v)
		}
	}
	for _, value := range sorted(m.added) {
		if there[value] || m.mayBeGone(value, read) {
			continue
		}
		switch {
		case slices.ContainsFunc(m.added[value], func(s step) bool { return s.was(journal.OK) && precedes(s.event, read.event) }):
			found = append(found, m.violation("acknowledged and lost", m.witnesses(value, read),
				"%d was added to %s and acknowledged, and is not there", value, m.key))
		case m.shown[value] != nil && precedes(m.shown[value], read.event):
			found = append(found, m.violation("seen and lost", append(m.witnesses(value, read), m.shown[value]),
				"%d was seen in %s, and is no longer there", value, m.key))
		}
	}
	return found
}

func (m membership) judgeThere(value int64, read step) *Violation {
	adds := m.added[value]
	happened := func(s step) bool { return !s.was(journal.Failed) }
	switch {
	case len(adds) == 0:
		return m.violation("out of nothing", m.witnesses(value, read), "%s holds %d, which no operation added", m.key, value)
	case !slices.ContainsFunc(adds, happened):
		return m.violation("failed and there", m.witnesses(value, read), "%s holds %d, and adding it had failed", m.key, value)
	case !slices.ContainsFunc(adds, func(s step) bool { return happened(s) && !precedes(read.event, s.event) }):
		return m.violation("out of nothing", m.witnesses(value, read), "%s holds %d, which no operation had begun to add", m.key, value)
	case slices.ContainsFunc(m.removed[value], func(s step) bool {
		return s.was(journal.OK) && precedes(s.event, read.event) &&
			m.surely(value, s)
	}):
		return m.violation("removed and there", m.witnesses(value, read), "%s holds %d, and removing it was acknowledged", m.key, value)
	}
	return nil
}

// mayBeGone tells whether a removal may have taken effect before the end of the read.
func (m membership) mayBeGone(value int64, read step) bool {
	return slices.ContainsFunc(m.removed[value], func(s step) bool { return !s.was(journal.Failed) && !precedes(read.event, s.event) })
}

// surely tells whether the value had been added when something began.
func (m membership) surely(value int64, before step) bool {
	return m.shown[value] != nil && precedes(m.shown[value], before.event) ||
		slices.ContainsFunc(m.added[value], func(s step) bool { return s.was(journal.OK) && precedes(s.event, before.event) })
}

func (m membership) witnesses(value int64, read step) []*journal.Event {
	witnesses := []*journal.Event{read.event}
	for _, s := range slices.Concat(m.added[value], m.removed[value]) {
		witnesses = append(witnesses, s.event)
	}
	return witnesses
}
