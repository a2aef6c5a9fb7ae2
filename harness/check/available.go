package check

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Available judges how long changes were refused: from one that was acknowledged to
// the next, as long as clients tried, no more than the budget passed. Time in which
// fewer nodes than a quorum were online, by their flags, is excused.
func Available(events []journal.Event, budget time.Duration) error {
	h, err := newHistory(events)
	if err != nil {
		return err
	}
	tries := h.changes()
	if len(tries) == 0 {
		return nothing("nobody tried to change anything")
	}
	without, err := h.withoutQuorum()
	if err != nil {
		return err
	}
	ends := byEnd(tries)
	since := &journal.Event{At: tries[0].At, Kind: journal.Note, Node: journal.Nobody, Text: "the first try"}
	for _, e := range ends {
		if e.Op.Outcome != journal.OK {
			continue
		}
		if v := h.refused(since, e.End(), budget, tries, without); v != nil {
			return v
		}
		since = e
	}
	return h.refused(since, ends[len(ends)-1].End(), budget, tries, without)
}

// changes are the operations that may change anything, but for final ones.
func (h history) changes() []*journal.Event {
	var found []*journal.Event
	for _, e := range h.events {
		if e.Kind == journal.Operation && !e.Op.Final && e.Op.Changes() {
			found = append(found, e)
		}
	}
	return found
}

func byEnd(events []*journal.Event) []*journal.Event {
	ends := slices.Clone(events)
	slices.SortStableFunc(ends, func(a, b *journal.Event) int { return a.End().Compare(b.End()) })
	return ends
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// refused judges the time from one acknowledged change to the next. It counts from
// when somebody tried: who rests is not refused.
func (h history) refused(since *journal.Event, to time.Time, budget time.Duration, tries []*journal.Event, without []span) error {
	from := to
	for _, e := range tries {
		if e.End().After(since.End()) && e.At.Before(to) {
			from = earlier(from, later(e.At, since.End()))
		}
	}
	gap := to.Sub(from)
	for _, s := range without {
		gap -= max(0, earlier(to, s.to).Sub(later(from, s.from)))
	}
	if gap <= budget {
		return nil
	}
	witnesses := []*journal.Event{since}
	for _, e := range h.events {
		if (e.Kind == journal.Flag || e.Kind == journal.Fault) && e.At.Before(to) {
			witnesses = append(witnesses[:1], e) // the last before the end
		}
	}
	return h.violation("not available", witnesses, "no change was acknowledged for %v, though clients tried; %v is the budget", gap.Round(time.Millisecond), budget)
}

// withoutQuorum are the times in which fewer voters were online, by their flags, than a
// quorum. It is an error if flags moved and the history does not say who the voters are.
func (h history) withoutQuorum() ([]span, error) {
	type move struct {
		at     time.Time
		change func()
	}
	var voters []int
	known, offline := false, make(map[int]bool)
	var moves []move
	for _, e := range h.events {
		switch {
		case e.Err != "":
		case e.Members != nil:
			moves = append(moves, move{e.End(), func() { voters, known = e.Members.Voters, true }})
		case e.Flag != nil && e.Flag.Online:
			moves = append(moves, move{e.End(), func() { delete(offline, e.Node) }})
		case e.Flag != nil:
			moves = append(moves, move{e.At, func() { offline[e.Node] = true }})
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int { return a.at.Compare(b.at) })
	var spans []span
	lost := false
	for _, m := range moves {
		m.change()
		if len(offline) > 0 && !known {
			return nil, invalid("a node was taken offline at %s, and no event says before that which nodes vote", m.at.Format(time.RFC3339Nano))
		}
		online := slices.DeleteFunc(slices.Clone(voters), func(node int) bool { return offline[node] })
		switch now := known && len(online) < len(voters)/2+1; {
		case now && !lost:
			spans = append(spans, span{from: m.at, to: endOfTime})
		case !now && lost:
			spans[len(spans)-1].to = m.at
		}
		lost = known && len(online) < len(voters)/2+1
	}
	return spans, nil
}

// endOfTime is later than every event.
var endOfTime = time.Unix(1<<40, 0)

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
