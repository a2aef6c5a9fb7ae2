package check

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Monotonic judges what each client reads, by its strong reads of lists and
// counters: it never sees a state that is older than one it has seen (Terry et al.,
// "Session Guarantees", PDIS 1994).
func Monotonic(events []journal.Event) error { return monotonicRule.Judge(events).Err() }

func judgeMonotonic(h history) error {
	type session struct {
		client int
		key    string
	}
	seen := make(map[session]step)
	reads := 0
	for _, e := range slices.Concat(h.of(journal.List), h.of(journal.Counter)) {
		for _, s := range e.Op.Steps {
			now := step{s, e}
			if s.Do != journal.Read || !now.knows() || e.Op.Level != journal.Strong || e.Op.Client == journal.Nobody {
				continue
			}
			reads++
			of := session{e.Op.Client, s.Key}
			if before, again := seen[of]; again && older(e.Op.Model, s.Got, before.Got) {
				return h.violation("not monotonic", []*journal.Event{before.event, e},
					"client %d saw a state of %s that is older than the one it had seen", of.client, of.key)
			}
			seen[of] = now
		}
	}
	if reads == 0 {
		return nothing("nobody read a list or a counter")
	}
	return nil
}

func older(model journal.Model, now, before []int64) bool {
	if model == journal.Counter {
		return len(now) == 1 && len(before) == 1 && now[0] < before[0]
	}
	return len(now) < len(before) && slices.Equal(now, before[:len(now)])
}

// OwnWrites judges what each client reads, by its strong reads of sets and lists:
// what it was told is done it sees (Terry et al., 1994).
func OwnWrites(events []journal.Event) error { return ownWritesRule.Judge(events).Err() }

func judgeOwnWrites(h history) error {
	written := make(map[int][]step)
	reads := 0
	all := slices.Concat(h.of(journal.Set), h.of(journal.List))
	slices.SortStableFunc(all, func(a, b *journal.Event) int { return a.At.Compare(b.At) })
	removed := mayBeGone(all)
	for _, e := range all {
		for _, s := range e.Op.Steps {
			now := step{s, e}
			switch {
			case s.Do != journal.Read && s.Do != journal.Remove && e.Op.Outcome == journal.OK:
				written[e.Op.Client] = append(written[e.Op.Client], now)
			case s.Do == journal.Read && now.knows() && e.Op.Level == journal.Strong && e.Op.Client != journal.Nobody:
				reads++
				if lost := unseen(written[e.Op.Client], now, removed[s.Key]); lost != nil {
					return h.violation("own write not seen", []*journal.Event{lost.event, e},
						"client %d was told that %d is in %s, and then did not see it", e.Op.Client, lost.Value, s.Key)
				}
			}
		}
	}
	if reads == 0 {
		return nothing("nobody read a set or a list")
	}
	return nil
}

// mayBeGone are the values, by key, that anybody may have removed at any time.
func mayBeGone(events []*journal.Event) map[string]map[int64]bool {
	gone := make(map[string]map[int64]bool)
	for _, e := range events {
		for _, s := range e.Op.Steps {
			if s.Do != journal.Remove || e.Op.Outcome == journal.Failed {
				continue
			}
			if gone[s.Key] == nil {
				gone[s.Key] = make(map[int64]bool)
			}
			gone[s.Key][s.Value] = true
		}
	}
	return gone
}

func unseen(written []step, read step, removed map[int64]bool) *step {
	for i, w := range written {
		if w.Key == read.Key && w.event.End().Before(read.event.At) && !removed[w.Value] && !slices.Contains(read.Got, w.Value) {
			return &written[i]
		}
	}
	return nil
}
