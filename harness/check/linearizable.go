package check

import (
	"errors"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Linearizable judges registers (journal.Register): each must look as if everything that
// was done to it took effect at one instant between its beginning and its end (Herlihy
// and Wing, "Linearizability", TOPLAS 1990). Strong and final reads count, and so do all
// changes; one of unknown outcome may have taken effect at any time after it began, or
// never. It is exact, and ErrUndecided beyond its bounds.
//
// The Violation has porcupine's picture of the operations before it.
func Linearizable(events []journal.Event) error { return linearizableRule.Judge(events).Err() }

func judgeLinearizable(h history, v *Verdict) {
	operations := h.of(journal.Register)
	v.countUnobserved(operations)
	objects := byObject(operations)
	for _, key := range sorted(objects) {
		judgeRegister(h, v, key, objects[key], perObject(len(objects)))
	}
}

// byObject are operations by the key that they are about. What reads several registers at
// once reads each by itself.
func byObject(events []*journal.Event) map[string][]*journal.Event {
	objects := make(map[string][]*journal.Event)
	for _, e := range events {
		steps := make(map[string][]journal.Step)
		for _, s := range e.Op.Steps {
			steps[s.Key] = append(steps[s.Key], s)
		}
		for _, key := range sorted(steps) {
			part := e
			if len(steps) > 1 {
				one, op := *e, *e.Op
				op.Steps = steps[key]
				one.Op = &op
				part = &one
			}
			objects[key] = append(objects[key], part)
		}
	}
	return objects
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
		violation.HTML = picture(until(events, stuck))
		v.violate(violation)
	}
}

// searchRegister decides about one register. Where no value is written twice, few orders
// have to be tried; the search that tries only those is exact but for compares that did
// not match.
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

// wrote tells whether the operation may have written what the other read or compared.
func wrote(e, reader *journal.Event) bool {
	return slices.ContainsFunc(reader.Op.Steps, func(read journal.Step) bool {
		return slices.ContainsFunc(e.Op.Steps, func(s journal.Step) bool {
			return !s.Reads() && (read.Reads() && slices.Contains(read.Got, s.Value) || read.Do == journal.CAS && read.Old == s.Value)
		})
	})
}

// Picture is porcupine's picture of the first register that is not linearizable, as
// HTML; nil if all are. Of a long history it shows the end.
func Picture(events []journal.Event) []byte {
	if v, is := errors.AsType[*Violation](Linearizable(events)); is {
		return v.HTML
	}
	return nil
}
