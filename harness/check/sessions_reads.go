package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// judgeReads judges the two guarantees that hold within a session.
func judgeReads(h history, v *Verdict, anywhere bool, g guarantee) {
	r := sessionReads{
		history: h, v: v, guarantee: g, lives: h.lives(), removes: h.removes(), orders: newOrders(h),
		seen: make(map[session]*seen),
	}
	for _, e := range h.inSession() {
		for _, s := range e.Op.Steps {
			r.step(e, s, anywhere)
		}
	}
	r.orders.judge(v, g)
}

type sessionReads struct {
	history
	v         *Verdict
	guarantee guarantee
	lives     lives
	removes   removes
	orders    *orders
	seen      map[session]*seen
}

// seen is what the reads of a session must show from now on.
type seen struct {
	coming []contribution           // from operations that have not ended
	there  map[int64]*journal.Event // values, and the events that showed them
	gone   map[int64]*journal.Event // values that were seen, or written, and then removed
	number int64                    // of a counter
	shown  *journal.Event           // the event that showed the number
	from   []heldValue              // of a register: versions that come before what is read next
}

// contribution is what an operation adds to what its session must show.
type contribution struct {
	event *journal.Event
	add   func()
}

func (r *sessionReads) of(s session) *seen {
	if r.seen[s] == nil {
		r.seen[s] = &seen{there: make(map[int64]*journal.Event), gone: make(map[int64]*journal.Event)}
	}
	return r.seen[s]
}

// settled adds the contributions of operations that ended before e began, and returns the others.
func settled(coming []contribution, e *journal.Event) []contribution {
	return slices.DeleteFunc(coming, func(c contribution) bool {
		over := c.event.End().Before(e.At)
		if over {
			c.add()
		}
		return over
	})
}

func (m *seen) contribute(e *journal.Event, add func()) {
	m.coming = append(m.coming, contribution{e, add})
}

func (r *sessionReads) step(e *journal.Event, s journal.Step, anywhere bool) {
	of := r.lives.sessionOf(e, s, anywhere)
	read := step{s, e}.knows() && (s.Do == journal.Read || s.Do == journal.CAS && s.Got[0] == 1)
	if read {
		if e.Op.Level == "" {
			r.v.leaveOut("reads without a level")
			return
		}
		r.v.Judged++
		m := r.of(of)
		m.coming = settled(m.coming, e)
		r.read(m, of, e, s)
	}
	if r.guarantee != ownWrites || s.Do == journal.Read || e.Op.Outcome != journal.OK || s.Do == journal.CAS && !read {
		return
	}
	strong, near := of, of
	strong.node, strong.life = journal.None, 0
	near.node, near.life = e.Node, 1+r.lives.at(e)
	r.wrote(r.of(strong), e, s)
	if !anywhere {
		r.wrote(r.of(near), e, s)
	}
}

// wrote adds a write of the session itself.
func (r *sessionReads) wrote(m *seen, e *journal.Event, s journal.Step) {
	m.coming = settled(m.coming, e)
	m.contribute(e, func() {
		switch s.Do {
		case journal.Append, journal.Add:
			m.there[s.Value] = e
		case journal.Remove:
			delete(m.there, s.Value)
			m.gone[s.Value] = e
		case journal.Increment:
			m.number += s.Value
			m.shown = e
		case journal.Write, journal.CAS:
			m.from = append(m.from, heldValue{value: s.Value, by: e})
		default:
		}
	})
}

// read judges a read and, for monotonic reads, adds it to what the session must show.
func (r *sessionReads) read(m *seen, of session, e *journal.Event, s journal.Step) {
	switch of.model {
	case journal.Register:
		r.readRegister(m, of, e, s)
	case journal.Counter:
		r.readCounter(m, of, e, s)
	default:
		r.readCollection(m, of, e, s)
	}
}

func (r *sessionReads) readRegister(m *seen, of session, e *journal.Event, s journal.Step) {
	now := heldValue{by: e, nothing: s.Do == journal.Read && len(s.Got) == 0}
	switch {
	case s.Do == journal.CAS:
		now.value = s.Old
	case !now.nothing:
		now.value = s.Got[0]
	}
	m.from = r.orders.of(of.key).before(m.from, now)
	if r.guarantee == monotonicReads {
		earlier := slices.Clone(m.from)
		m.contribute(e, func() { // earlier ones are no longer needed
			m.from = append(slices.DeleteFunc(m.from, func(v heldValue) bool { return slices.Contains(earlier, v) }), now)
		})
	}
}

func (r *sessionReads) readCounter(m *seen, of session, e *journal.Event, s journal.Step) {
	var now int64
	if len(s.Got) == 1 {
		now = s.Got[0]
	}
	if now < m.number {
		r.v.violate(r.violation(r.guarantee.broken(), []*journal.Event{m.shown, e},
			"client %d read %d from %s, and the session had %d", of.client, now, of.key, m.number))
	}
	if r.guarantee == monotonicReads {
		m.contribute(e, func() {
			if now > m.number {
				m.number, m.shown = now, e
			}
		})
	}
}

func (r *sessionReads) readCollection(m *seen, of session, e *journal.Event, s journal.Step) {
	here := make(map[int64]bool, len(s.Got))
	for _, value := range s.Got {
		here[value] = true
		if shown := m.gone[value]; shown != nil {
			r.v.violate(r.violation(r.guarantee.broken(), []*journal.Event{shown, e},
				"client %d saw %d in %s, and in this session it had been removed", of.client, value, of.key))
		}
	}
	for _, value := range sorted(m.there) {
		switch {
		case here[value]:
		case r.removes.may(of.model, of.key, value, e):
			if r.guarantee == monotonicReads {
				m.contribute(e, func() { delete(m.there, value); m.gone[value] = e })
			}
		default:
			r.v.violate(r.violation(r.guarantee.broken(), []*journal.Event{m.there[value], e},
				"client %d did not see %d in %s, which was there in this session", of.client, value, of.key))
		}
	}
	if r.guarantee == monotonicReads {
		m.contribute(e, func() {
			for value := range here {
				if m.gone[value] == nil {
					m.there[value] = e
				}
			}
		})
	}
}

// place is a value of a key.
type place struct {
	model journal.Model
	key   string
	value int64
}

// removes has the operations that may have removed values.
type removes map[place][]*journal.Event

func (h history) removes() removes {
	r := make(removes)
	for _, e := range h.of(journal.Set) {
		for _, s := range e.Op.Steps {
			if s.Do == journal.Remove && e.Op.Outcome != journal.Failed {
				at := place{journal.Set, s.Key, s.Value}
				r[at] = append(r[at], e)
			}
		}
	}
	return r
}

// may tells whether a value may have been removed at the time of a read.
func (r removes) may(model journal.Model, key string, value int64, read *journal.Event) bool {
	return slices.ContainsFunc(r[place{model, key, value}], func(e *journal.Event) bool {
		return read.Op.Final || !e.At.After(read.End())
	})
}
