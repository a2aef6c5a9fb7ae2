package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// seenAgain judges that what a client has seen in a list or a set it sees again. A value is
// added once, so it is absent, then there, then removed.
func (s *sessions) seenAgain(client int, steps []step, m membership) {
	seen, gone := make(map[int64]step), make(map[int64]step) // by value, the read that ended first
	for _, now := range steps {
		if !now.Reads() || !s.shows(now.event) {
			continue
		}
		there := make(map[int64]bool, len(now.Got))
		for _, value := range now.Got {
			there[value] = true
			if before, is := gone[value]; is && precedes(before.event, now.event) {
				s.violate("not monotonic", []*journal.Event{seen[value].event, before.event, now.event},
					"client %d had seen %d leave %s, and sees it again", client, value, m.key)
				return
			}
			if first, is := seen[value]; !is || endsAfter(first.event, now.event) {
				seen[value] = now
			}
		}
		for _, value := range sorted(seen) {
			before := seen[value]
			if there[value] || !precedes(before.event, now.event) {
				continue
			}
			if !m.mayBeGone(value, now) {
				s.violate("not monotonic", []*journal.Event{before.event, now.event},
					"client %d saw a state of %s that is older than the one it had seen: %d is not there any more", client, m.key, value)
				return
			}
			if first, is := gone[value]; !is || endsAfter(first.event, now.event) {
				gone[value] = now
			}
		}
	}
}

// ownThere judges that what a client was told is done to a list or a set it sees.
func (s *sessions) ownThere(client int, steps []step, m membership) {
	for i, now := range steps {
		if !now.Reads() || !s.shows(now.event) {
			continue
		}
		for _, own := range steps[:i] {
			if !own.Reads() && own.was(journal.OK) && precedes(own.event, now.event) && !m.keeps(own, now) {
				s.violate("own write not seen", []*journal.Event{own.event, now.event},
					"client %d was told that this was done, and then did not see it: %s", client, own.Step)
				return
			}
		}
	}
}

// keeps tells whether a read can show an addition or removal that was acknowledged.
func (m membership) keeps(change, read step) bool {
	there := slices.Contains(read.Got, change.Value)
	if change.Do == journal.Remove {
		return !there || !m.knownBefore(change.Value, change)
	}
	return there || m.mayBeGone(change.Value, read)
}

// knownBefore tells whether the value had been added when something began, as far as
// anything shows, reads that may be stale included.
func (m membership) knownBefore(value int64, before step) bool {
	return slices.ContainsFunc(m.added[value], func(s step) bool { return s.was(journal.OK) && precedes(s.event, before.event) }) ||
		m.anyRead[value] != nil && precedes(m.anyRead[value], before.event)
}

// fact is something that one client knew: a change that it had made, or a value it had seen.
type fact struct {
	step
	of object
}

// monotonicWrites judges lists, sets and counters. A register shows only its last write.
func (s *sessions) monotonicWrites() {
	known := make(map[int][]fact)
	for _, o := range s.order {
		if o.model != journal.List && o.model != journal.Set {
			continue
		}
		for client, steps := range clients(s.steps[o]) {
			for _, st := range steps {
				if !st.Reads() && st.was(journal.OK) {
					known[client] = append(known[client], fact{st, o})
				}
			}
		}
	}
	s.closed("writes not monotonic", "had written before it", known)
	s.counters(func(o object, read step) (bool, error) { return s.prefixesAddUp(o, read) }, "writes not monotonic",
		"shows no sum of increments that holds, with each, what its client had added before")
}

// writesFollowReads judges lists, sets, counters and registers.
func (s *sessions) writesFollowReads() {
	known := make(map[int][]fact)
	for _, o := range s.order {
		if o.model != journal.List && o.model != journal.Set {
			continue
		}
		for client, steps := range clients(s.steps[o]) {
			known[client] = append(known[client], s.seenBy(o, steps)...)
		}
	}
	s.closed("writes do not follow reads", "had seen before it", known)
	s.counters(func(o object, read step) (bool, error) { return s.followersAddUp(o, read) }, "writes do not follow reads",
		"shows no sum of increments each of which comes after what its client had read before")
	s.registersFollow()
}

// seenBy are the values that a client has seen in a list or a set, by the first read that
// showed each, and those that it saw in operations that write as well.
func (s *sessions) seenBy(o object, steps []step) []fact {
	var facts []fact
	first := make(map[int64]step)
	note := func(value int64, by step) {
		by.Step = journal.Step{Do: journal.Add, Key: o.key, Value: value}
		facts = append(facts, fact{by, o})
	}
	for _, st := range steps {
		if !st.Reads() || !s.shows(st.event) {
			continue
		}
		for _, value := range st.Got {
			if before, is := first[value]; !is || endsAfter(before.event, st.event) {
				first[value] = st
			}
			if st.event.Op.Changes() {
				note(value, st)
			}
		}
	}
	for _, value := range sorted(first) {
		note(value, first[value])
	}
	return facts
}

// closed judges that each read that shows a write shows what its client knew before.
func (s *sessions) closed(name, how string, known map[int][]fact) {
	members := make(map[object]membership)
	writers := make(map[object]map[int64][]step)
	for _, o := range s.order {
		members[o] = newMembership(s.history, o.key, s.steps[o])
		writers[o] = members[o].added
	}
	for _, e := range s.events {
		if e.Op.Model != journal.List && e.Op.Model != journal.Set || !reads(e) || !s.shows(e) {
			continue
		}
		s.v.Judged++
		looked := make(map[object][]step)
		shown := make(map[int][]*journal.Event) // writes that it shows, by client
		for _, st := range e.Op.Steps {
			o := object{e.Op.Model, st.Key}
			if !st.Reads() {
				continue
			}
			looked[o] = append(looked[o], step{st, e})
			for _, value := range st.Got {
				if by := writers[o][value]; len(by) == 1 && by[0].event.Op.Client != journal.Nobody && by[0].event != e {
					shown[by[0].event.Op.Client] = append(shown[by[0].event.Op.Client], by[0].event)
				}
			}
		}
		for _, client := range sorted(shown) {
			if !s.showsKnown(name, how, e, looked, shown[client], known[client], members) {
				return
			}
		}
	}
}

// showsKnown judges one read, and what one client knew before the writes of it that the
// read shows.
func (s *sessions) showsKnown(name, how string, e *journal.Event, looked map[object][]step, shown []*journal.Event, known []fact, members map[object]membership) bool {
	last := shown[0]
	for _, w := range shown {
		if beginsAfter(w, last) {
			last = w
		}
	}
	for _, f := range known {
		write := last
		if slices.Contains(shown, f.event) && f.event != last && name == "writes do not follow reads" {
			write = f.event
		}
		before := precedes(f.event, write) || f.event == write && name != "writes not monotonic"
		lacks := func(read step) bool { return !members[f.of].keeps(f.step, read) }
		if !before || !slices.ContainsFunc(looked[f.of], lacks) {
			continue
		}
		s.violate(name, []*journal.Event{f.event, write, e}, "a read shows a write of client %d, and not what it %s: %s", write.Op.Client, how, f.Step)
		return false
	}
	return true
}
