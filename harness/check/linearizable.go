package check

import (
	"errors"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Linearizable judges registers (journal.Register): each operation must appear to take effect at one
// instant between its beginning and its end (Herlihy and Wing, "Linearizability", TOPLAS 1990).
// Strong and final reads and all changes count. A change of unknown outcome may take effect at any
// time after it began, or never. The verdict is exact, or ErrUndecided beyond the bounds of the
// search.
//
// The Violation has porcupine's picture of the operations up to it.
func Linearizable(events []journal.Event) error { return linearizableRule.Judge(events).Err() }

func judgeLinearizable(h history, v *Verdict) {
	operations := h.of(journal.Register)
	v.countUnobserved(operations)
	objects := byObject(operations)
	for _, key := range sorted(objects) {
		judgeRegister(h, v, key, objects[key], perObject(len(objects)))
	}
}

// byObject groups operations by key. A final read of several registers counts as one read of each,
// because they are at rest.
func byObject(events []*journal.Event) map[string][]*journal.Event {
	objects := make(map[string][]*journal.Event)
	for _, e := range events {
		for _, part := range partsOf(e) {
			key := part.Op.Steps[0].Key
			objects[key] = append(objects[key], part)
		}
	}
	return objects
}

// partsOf splits an operation by the keys of its steps.
func partsOf(e *journal.Event) []*journal.Event {
	first := e.Op.Steps[0].Key
	if !slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool { return s.Key != first }) {
		return []*journal.Event{e}
	}
	var parts []*journal.Event
	at := make(map[string]*journal.Event)
	for _, s := range e.Op.Steps {
		if at[s.Key] == nil {
			part, op := *e, *e.Op
			op.Steps = nil
			part.Op = &op
			at[s.Key] = &part
			parts = append(parts, &part)
		}
		at[s.Key].Op.Steps = append(at[s.Key].Op.Steps, s)
	}
	return parts
}

func judgeRegister(h history, v *Verdict, key string, events []*journal.Event, bytes int) {
	ops := registerOps(events)
	if !observed(ops) {
		return
	}
	v.Judged += len(ops)
	found, stuck := decide(events, bytes, searchRegister)
	switch found {
	case undecided:
		v.undecided("%s: too many of its %d operations are concurrent or have no outcome", key, len(ops))
	case impossible:
		witnesses := around(stuck, events, func(e *journal.Event) bool { return wrote(e, stuck) })
		violation := h.violation("not linearizable", witnesses,
			"no order of the %d operations on %s explains what they read; with all before it, this cannot be explained: %s", len(ops), key, stuck)
		violation.HTML = picture(until(events, stuck), h.events)
		v.violate(violation)
	case possible:
	}
}

// searchRegister decides one register. If no value is written twice, few orders are possible, and a
// search of these is exact except for compares that did not match.
func searchRegister(events []*journal.Event, bytes int) (answer, *journal.Event) {
	ops := registerOps(events)
	s := newRegister(ops, false, &budget{bytes})
	if s.model.(*register).unique {
		if found, stuck := s.find(absent); found == possible || found == impossible && !s.model.(*register).refusals {
			return found, stuck
		}
		relaxed := newRegister(ops, true, &budget{bytes})
		if found, stuck := relaxed.find(absent); found == impossible {
			return found, stuck
		}
	}
	return widen(bytes, func(b *budget) (*search, int) {
		s := newRegister(ops, false, b)
		s.model.(*register).unique = false
		return s, absent
	})
}

// wrote tells whether the operation may have written a value that the other read or compared.
func wrote(e, reader *journal.Event) bool {
	return slices.ContainsFunc(reader.Op.Steps, func(read journal.Step) bool {
		return slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool {
			return !s.Reads() && (read.Reads() && slices.Contains(read.Got, s.Value) || read.Do == journal.CAS && read.Old == s.Value)
		})
	})
}

// Picture returns porcupine's picture, as HTML, of the first register that is not linearizable; nil
// if all are. Of a long history it shows the end.
func Picture(events []journal.Event) []byte {
	if v, is := errors.AsType[*Violation](Linearizable(events)); is {
		return v.HTML
	}
	return nil
}
