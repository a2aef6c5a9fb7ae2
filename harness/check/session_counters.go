package check

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/journal"
)

func (s *sessions) counterGrows(o object, client int, steps []step) {
	var highest []step
	for _, now := range steps {
		if !now.Reads() || !s.shows(now.event) || len(now.Got) != 1 {
			continue
		}
		for _, before := range highest {
			if precedes(before.event, now.event) && now.Got[0] < before.Got[0] {
				s.violate("not monotonic", []*journal.Event{before.event, now.event},
					"client %d saw a state of %s that is older than the one it had seen", client, o.key)
				return
			}
		}
		highest = append(dropLower(highest, now), now)
	}
}

// dropLower leaves out reads that say no more than one that came after.
func dropLower(reads []step, now step) []step {
	var kept []step
	for _, r := range reads {
		if r.Got[0] > now.Got[0] || endsAfter(now.event, r.event) && r.event != now.event {
			kept = append(kept, r)
		}
	}
	return kept
}

func (s *sessions) counterHasOwn(o object, client int, steps []step) {
	for i, now := range steps {
		if !now.Reads() || !s.shows(now.event) || len(now.Got) != 1 {
			continue
		}
		own := int64(0)
		witnesses := []*journal.Event{now.event}
		for _, before := range steps[:i] {
			if before.Do == journal.Increment && before.was(journal.OK) && precedes(before.event, now.event) {
				own += before.Value
				witnesses = append(witnesses, before.event)
			}
		}
		if now.Got[0] < own {
			s.violate("own write not seen", witnesses, "client %d had added %d to %s, and found %d", client, own, o.key, now.Got[0])
			return
		}
	}
}

// counters judges every read of every counter by itself.
func (s *sessions) counters(adds func(object, step) (bool, error), name, how string) {
	for _, o := range s.order {
		if o.model != journal.Counter {
			continue
		}
		for _, read := range s.steps[o] {
			if !read.Reads() || !s.shows(read.event) || len(read.Got) != 1 {
				continue
			}
			s.v.Judged++
			up, err := adds(o, read)
			switch {
			case err != nil:
				s.v.undecided("%v", err)
			case !up:
				s.violate(name, []*journal.Event{read.event}, "a read of %s as %d %s", o.key, read.Got[0], how)
			}
		}
	}
}

// highestSum is the largest number that a read is judged by adding up increments.
const highestSum = 1 << 20

// sums are the numbers, up to a highest, that increments can add up to.
type sums struct{ can []bool }

func newSums(highest int64) (*sums, error) {
	if highest > highestSum {
		return nil, fmt.Errorf("a counter is read as %d, and only numbers up to %d are added up", highest, highestSum)
	}
	s := &sums{make([]bool, max(highest, 0)+1)}
	s.can[0] = true
	return s, nil
}

// maybe adds an increment that may be part of the sum, or not.
func (s *sums) maybe(by int64) {
	for i := int64(len(s.can)) - 1; i >= by; i-- {
		s.can[i] = s.can[i] || s.can[i-by]
	}
}

// prefixesAddUp tells whether increments add up to what the read found, so that with each
// are all that its client was told are done before it began.
func (s *sessions) prefixesAddUp(o object, read step) (bool, error) {
	all, err := newSums(read.Got[0])
	if err != nil || read.Got[0] < 0 {
		return false, err
	}
	of := clients(s.steps[o])
	for _, st := range s.steps[o] {
		if st.Do == journal.Increment && !st.was(journal.Failed) && !precedes(read.event, st.event) && st.event.Op.Client == journal.Nobody {
			all.maybe(st.Value)
		}
	}
	for _, client := range sorted(of) {
		all = all.withPrefixes(of[client], read)
	}
	return all.can[read.Got[0]], nil
}

// withPrefixes are the sums with any part of one client's increments that holds with each
// all that were done before it began.
func (s *sums) withPrefixes(steps []step, read step) *sums {
	var increments []step
	for _, st := range steps {
		if st.Do == journal.Increment && !precedes(read.event, st.event) {
			increments = append(increments, st)
		}
	}
	// The last that is part of the sum decides which must be; what else had begun may be.
	out := &sums{append([]bool{}, s.can...)}
	for i, last := range increments {
		with := &sums{make([]bool, len(s.can))}
		fixed := last.Value
		var free []int64
		for j, other := range increments {
			switch {
			case j == i:
			case other.was(journal.OK) && precedes(other.event, last.event):
				fixed += other.Value
			case j < i:
				free = append(free, other.Value)
			}
		}
		for n := range s.can {
			if at := int64(n) + fixed; s.can[n] && at < int64(len(with.can)) {
				with.can[at] = true
			}
		}
		for _, by := range free {
			with.maybe(by)
		}
		for n, can := range with.can {
			out.can[n] = out.can[n] || can
		}
	}
	return out
}

// followersAddUp tells whether increments add up to what the read found, none of which
// comes after a read of its client that found so much that it cannot be part of the sum.
func (s *sessions) followersAddUp(o object, read step) (bool, error) {
	all, err := newSums(read.Got[0])
	if err != nil || read.Got[0] < 0 {
		return false, err
	}
	of := clients(s.steps[o])
	for _, st := range s.steps[o] {
		if st.Do != journal.Increment || st.was(journal.Failed) || precedes(read.event, st.event) {
			continue
		}
		after := int64(0)
		for _, before := range of[st.event.Op.Client] {
			if before.Reads() && s.shows(before.event) && len(before.Got) == 1 && precedes(before.event, st.event) {
				after = max(after, before.Got[0])
			}
		}
		if after+st.Value <= read.Got[0] {
			all.maybe(st.Value)
		}
	}
	return all.can[read.Got[0]], nil
}
