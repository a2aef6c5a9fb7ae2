package check

import (
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// check judges whether a read shows all that it must, given what is needed for what it
// shows. A value that must be there and is not must have been removed, which needs more.
func (w *sessionWrites) check(e *journal.Event, found *shown, needed clock) {
	removed := make(map[place]bool)
	for more := true; more; {
		more = false
		for _, key := range sortedPlaces(found.keys) {
			for _, made := range w.keys[key] {
				at := made.place
				switch {
				case !w.demanded(made, needed) && !removed[at]:
				case made.remove && found.here[at]:
					w.broken(e, made, found, "%d is in %s, and what else is there needs it to be removed", at.value, at.key)
					found.here[at] = false // once is enough
				case made.remove || found.here[at] || removed[at]:
				case !w.removes.may(at.model, at.key, at.value, e):
					w.broken(e, made, found, "%d is not in %s, and what else is there needs it", at.value, at.key)
					removed[at] = true
				default:
					removed[at], more = true, true
					if r := w.removals[at]; r != nil {
						found.writes = append(found.writes, r)
						needed = needed.merged(r.clock)
					}
				}
			}
		}
	}
}

func sortedPlaces(places map[place]bool) []place {
	var all []place
	for at := range places {
		all = append(all, at)
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.key, b.key) })
	return all
}

// demanded tells whether a write was fed to a client of whom so much is needed.
func (w *sessionWrites) demanded(made *sessionWrite, needed clock) bool {
	return slices.ContainsFunc(made.fed, func(f feeding) bool { return f.nth <= needed.at(f.client) })
}

// follows tells whether a write must follow another write to the same key, which its client had
// written or read before.
func (w *sessionWrites) follows(later, earlier *sessionWrite) bool {
	return slices.ContainsFunc(earlier.fed, func(f feeding) bool {
		return f.client == later.client && f.nth <= later.clock.at(later.client)
	})
}

// checkOrder checks the order of lists: no value stands before one that it must follow.
func (w *sessionWrites) checkOrder(e *journal.Event) {
	if e.Op.Model != journal.List {
		return
	}
	for _, s := range e.Op.Steps {
		if !(step{s, e}).knows() {
			continue
		}
		for i, value := range s.Got {
			first := w.adds[place{journal.List, s.Key, value}]
			if first == nil {
				continue
			}
			for _, later := range s.Got[i+1:] {
				made := w.adds[place{journal.List, s.Key, later}]
				if made != nil && made != first && w.follows(first, made) {
					w.v.violate(w.violation(w.guarantee.broken(), []*journal.Event{made.event, first.event, e},
						"%d stands before %d in %s, and must follow it", value, later, s.Key))
					return
				}
			}
		}
	}
}

// broken reports a read that lacks a write, or shows a removed value.
func (w *sessionWrites) broken(e *journal.Event, lacks *sessionWrite, found *shown, format string, args ...any) {
	witnesses := []*journal.Event{e, lacks.event}
	for _, made := range found.writes {
		if w.demanded(lacks, made.clock) && len(witnesses) < 4 {
			witnesses = append(witnesses, made.event)
		}
	}
	w.v.violate(w.violation(w.guarantee.broken(), witnesses, format, args...))
}

// registers adds what the guarantee demands of the order of registers' values. The values at rest
// come last.
func (w *sessionWrites) registers() {
	events := w.history.of(journal.Register)
	happened := w.happened(events)
	type chain struct {
		coming []contribution
		from   []heldValue
	}
	chains := make(map[session]*chain)
	for _, e := range events {
		for _, s := range e.Op.Steps {
			if e.Op.Final || e.Op.Client == journal.None || e.Op.Outcome == journal.Failed {
				continue
			}
			of := session{client: e.Op.Client, key: s.Key}
			c := chains[of]
			if c == nil {
				c = &chain{}
				chains[of] = c
			}
			c.coming = settled(c.coming, e)
			now := heldValue{value: s.Value, by: e}
			if s.Do != journal.Read && happened[place{journal.Register, s.Key, s.Value}] {
				c.from = w.orders.of(s.Key).before(c.from, now)
			}
			switch {
			case e.Op.Outcome != journal.OK:
			case w.guarantee == monotonicWrites && s.Do != journal.Read && happened[place{journal.Register, s.Key, s.Value}]:
				earlier := slices.Clone(c.from)
				c.coming = append(c.coming, contribution{e, func() {
					c.from = append(slices.DeleteFunc(c.from, func(v heldValue) bool { return slices.Contains(earlier, v) }), now)
				}})
			case w.guarantee == writesFollowReads && s.Do == journal.Read && len(s.Got) == 1:
				c.coming = append(c.coming, contribution{e, func() { c.from = append(c.from, heldValue{value: s.Got[0], by: e}) }})
			case w.guarantee == writesFollowReads && s.Do == journal.CAS && len(s.Got) == 1 && s.Got[0] == 1:
				c.coming = append(c.coming, contribution{e, func() { c.from = append(c.from, heldValue{value: s.Old, by: e}) }})
			}
		}
	}
	w.finals(events, happened)
}

// finals adds that the value of a register at rest comes after all others.
func (w *sessionWrites) finals(events []*journal.Event, happened map[place]bool) {
	written := make(map[string][]heldValue)
	for _, e := range events {
		for _, s := range e.Op.Steps {
			if s.Do != journal.Read && happened[place{journal.Register, s.Key, s.Value}] {
				written[s.Key] = append(written[s.Key], heldValue{value: s.Value, by: e})
			}
		}
	}
	for _, e := range events {
		for _, s := range e.Op.Steps {
			if !e.Op.Final || s.Do != journal.Read || len(s.Got) != 1 {
				continue
			}
			w.v.Judged++
			last := heldValue{value: s.Got[0], by: e}
			for _, v := range written[s.Key] {
				w.orders.of(s.Key).add(v, last)
			}
		}
	}
}

// happened returns the writes that were acknowledged or seen.
func (w *sessionWrites) happened(events []*journal.Event) map[place]bool {
	found := make(map[place]bool)
	for _, e := range events {
		for _, s := range e.Op.Steps {
			switch {
			case s.Do == journal.Read && len(s.Got) == 1:
				found[place{journal.Register, s.Key, s.Got[0]}] = true
			case s.Do == journal.Write && e.Op.Outcome == journal.OK:
				found[place{journal.Register, s.Key, s.Value}] = true
			case s.Do == journal.CAS && (step{s, e}).knows() && s.Got[0] == 1:
				found[place{journal.Register, s.Key, s.Old}] = true
				found[place{journal.Register, s.Key, s.Value}] = true
			}
		}
	}
	return found
}
