package check

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Session guarantees (Terry et al., "Session Guarantees for Weakly Consistent Replicated
// Data", PDIS 1994), of lists, sets, counters and registers. A session is what one numbered
// client does; one of its operations comes before another if it had ended when the other
// began. A read shows a value that it holds, or, of a register, the value that it found. A
// value of a set that may have been removed by the end of a read need not be shown.
//
//	Monotonic            what a client has seen, its later reads show
//	OwnWrites            what a client was told is done, its later reads show
//	MonotonicWrites      a read that shows a write shows what its client had written before
//	WritesFollowReads    a read that shows a write shows what its client had seen before
//
// Of a counter, a read shows some increments that add up to its number. Of registers,
// writes take effect in an order that fits real time, and no read shows an older value
// than it has to; values that may have been written twice are not judged.
//
// These functions judge strong reads. Sessions judges reads of other levels. Final reads
// count for the two guarantees that are about the reads of others.

// Monotonic judges monotonic reads.
func Monotonic(events []journal.Event) error { return monotonicRule.Judge(events).Err() }

// OwnWrites judges read your writes.
func OwnWrites(events []journal.Event) error { return ownWritesRule.Judge(events).Err() }

// MonotonicWrites judges monotonic writes.
func MonotonicWrites(events []journal.Event) error { return monotonicWritesRule.Judge(events).Err() }

// WritesFollowReads judges writes follow reads.
func WritesFollowReads(events []journal.Event) error {
	return writesFollowReadsRule.Judge(events).Err()
}

// Sessions are the four session guarantees for reads of any of the levels; of all levels
// if none is given. A database promises them for local reads only if it says so.
func Sessions(levels ...journal.Level) []Rule {
	if len(levels) == 0 {
		levels = []journal.Level{journal.Local, journal.Leader, journal.Strong}
	}
	of := ""
	for _, level := range levels {
		of += fmt.Sprintf(", %s", level)
	}
	var rules []Rule
	for _, r := range sessionRules {
		rules = append(rules, Rule{r.name + of, r.promise, r.of(levels)})
	}
	return rules
}

type sessionRule struct {
	name, promise string
	judge         func(*sessions)
}

var sessionRules = []sessionRule{
	{"monotonic reads", "No client sees a state that is older than one it has seen.", (*sessions).monotonicReads},
	{"read your writes", "Every client sees what it has written.", (*sessions).ownWrites},
	{"monotonic writes", "Who sees a write sees what its client had written before.", (*sessions).monotonicWrites},
	{"writes follow reads", "Who sees a write sees what its client had seen before.", (*sessions).writesFollowReads},
}

func (r sessionRule) of(levels []journal.Level) func(history, *Verdict) {
	return func(h history, v *Verdict) {
		s := &sessions{history: h, v: v, name: r.name, levels: levels}
		s.read()
		r.judge(s)
	}
}

func (r sessionRule) strong() Rule {
	return Rule{r.name, r.promise, r.of([]journal.Level{journal.Strong})}
}

// sessions are what clients did and saw.
type sessions struct {
	history
	v      *Verdict
	name   string
	levels []journal.Level
	events []*journal.Event
	steps  map[object][]step // by key, in the order in which they began
	order  []object
}

// object is a key of a model.
type object struct {
	model journal.Model
	key   string
}

func (s *sessions) read() {
	s.steps = make(map[object][]step)
	for _, model := range []journal.Model{journal.List, journal.Set, journal.Counter, journal.Register} {
		events := s.of(model)
		s.events = append(s.events, events...)
		keys, steps := byKey(events)
		for _, key := range keys {
			s.steps[object{model, key}] = steps[key]
			s.order = append(s.order, object{model, key})
		}
	}
	for _, e := range s.events {
		switch {
		case !reads(e) || e.Op.Outcome == journal.Failed:
		case e.Op.Outcome != journal.OK || e.Op.Unread:
			s.v.leaveOut(noResult)
		case e.Op.Final || slices.Contains(s.levels, e.Op.Level):
		case e.Op.Level == "":
			s.v.leaveOut(noLevel)
		default:
			s.v.leaveOut("reads of other levels")
		}
	}
}

// shows tells whether what the operation read is judged.
func (s *sessions) shows(e *journal.Event) bool {
	return e.Op.Outcome == journal.OK && !e.Op.Unread && (e.Op.Final || slices.Contains(s.levels, e.Op.Level))
}

func (s *sessions) violate(name string, witnesses []*journal.Event, format string, args ...any) {
	s.v.violate(s.violation(name, witnesses, format, args...))
}

// clients are the steps of each numbered client, in the order in which they began.
func clients(steps []step) map[int][]step {
	of := make(map[int][]step)
	for _, s := range steps {
		if s.event.Op.Client != journal.Nobody && !s.event.Op.Final && !s.was(journal.Failed) {
			of[s.event.Op.Client] = append(of[s.event.Op.Client], s)
		}
	}
	return of
}

func (s *sessions) monotonicReads() {
	s.eachSession(func(o object, client int, steps []step, m membership) {
		switch o.model {
		case journal.Counter:
			s.counterGrows(o, client, steps)
		case journal.Register:
			s.registerOrder(o, client, steps, false)
		default:
			s.seenAgain(client, steps, m)
		}
	})
}

func (s *sessions) ownWrites() {
	s.eachSession(func(o object, client int, steps []step, m membership) {
		switch o.model {
		case journal.Counter:
			s.counterHasOwn(o, client, steps)
		case journal.Register:
			s.registerOrder(o, client, steps, true)
		default:
			s.ownThere(client, steps, m)
		}
	})
}

// eachSession visits what each client did to each object, if it read it.
func (s *sessions) eachSession(visit func(o object, client int, steps []step, m membership)) {
	for _, o := range s.order {
		m := newMembership(s.history, o.key, s.steps[o])
		of := clients(s.steps[o])
		for _, client := range sorted(of) {
			read := 0
			for _, st := range of[client] {
				if st.Reads() && s.shows(st.event) {
					read++
				}
			}
			if read > 0 {
				s.v.Judged += read
				visit(o, client, of[client], m)
			}
		}
	}
}
