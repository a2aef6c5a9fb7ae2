package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Durable judges sets, and what they are in other models: everything that was
// acknowledged is there in the end, on every node that was read (journal.Op.Final),
// and nothing is there that failed or that nobody ever added. What was removed is
// gone. Strong reads on the way must hold what was acknowledged before they began.
func Durable(events []journal.Event) error { return durableRule.Judge(events).Err() }

func judgeDurable(h history) error {
	operations := slices.Concat(h.of(journal.Set), h.of(journal.Unique), h.of(journal.List))
	if !happened(operations) {
		return nothing("nothing was added to a set, a list or a name")
	}
	keys, steps := byKey(operations)
	finals := 0
	for _, key := range keys {
		d := newMembership(h, key, steps[key])
		for _, s := range steps[key] {
			if s.Do != journal.Read || !s.knows() || !s.fresh() {
				continue
			}
			if s.event.Op.Final {
				finals++
			}
			if v := d.judge(s); v != nil {
				return v
			}
		}
	}
	if finals == 0 {
		return nothing("no final read tells what is there in the end")
	}
	return nil
}

// membership is what was done to one key, value by value.
type membership struct {
	history
	key            string
	added, removed map[int64][]step
}

func newMembership(h history, key string, steps []step) membership {
	m := membership{h, key, make(map[int64][]step), make(map[int64][]step)}
	for _, s := range steps {
		switch s.Do {
		case journal.Add, journal.Append, journal.Insert:
			m.added[s.Value] = append(m.added[s.Value], s)
		case journal.Remove:
			m.removed[s.Value] = append(m.removed[s.Value], s)
		}
	}
	return m
}

func (m membership) judge(read step) error {
	there := make(map[int64]bool, len(read.Got))
	for _, value := range read.Got {
		if there[value] {
			return m.violation("applied twice", m.witnesses(value, read), "%s holds %d twice", m.key, value)
		}
		there[value] = true
		if v := m.judgeThere(value, read); v != nil {
			return v
		}
	}
	for _, value := range sorted(m.added) {
		if !there[value] && m.mustBeThere(value, read) {
			return m.violation("acknowledged and lost", m.witnesses(value, read), "%d was added to %s and acknowledged, and is not there", value, m.key)
		}
	}
	return nil
}

func (m membership) judgeThere(value int64, read step) error {
	adds := m.added[value]
	switch {
	case len(adds) == 0:
		return m.violation("out of nothing", m.witnesses(value, read), "%s holds %d, which nobody ever added", m.key, value)
	case !slices.ContainsFunc(adds, func(s step) bool { return !s.was(journal.Failed) }):
		return m.violation("failed and there", m.witnesses(value, read), "%s holds %d, and adding it had failed", m.key, value)
	case slices.ContainsFunc(m.removed[value], func(s step) bool { return s.was(journal.OK) && done(s, read) }):
		return m.violation("removed and there", m.witnesses(value, read), "%s holds %d, and removing it was acknowledged", m.key, value)
	}
	return nil
}

// mustBeThere tells whether the value was added for sure before the read, and cannot
// have been removed by its end.
func (m membership) mustBeThere(value int64, read step) bool {
	return slices.ContainsFunc(m.added[value], func(s step) bool { return s.was(journal.OK) && done(s, read) }) &&
		!slices.ContainsFunc(m.removed[value], func(s step) bool {
			return !s.was(journal.Failed) && (read.event.Op.Final || !s.event.At.After(read.event.End()))
		})
}

// done tells whether one operation had ended when the other began.
func done(before, after step) bool {
	return after.event.Op.Final && !before.event.Op.Final || before.event.End().Before(after.event.At)
}

func (m membership) witnesses(value int64, read step) []*journal.Event {
	witnesses := []*journal.Event{read.event}
	for _, s := range slices.Concat(m.added[value], m.removed[value]) {
		witnesses = append(witnesses, s.event)
	}
	return witnesses
}
