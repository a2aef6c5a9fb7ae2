package check

import (
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Available judges for how long changes were refused: while clients try to make changes, the time
// between two acknowledged changes must not exceed the budget. Time without a quorum does not
// count: time in which, by their flags, fewer voters than a quorum were online.
func Available(events []journal.Event, budget time.Duration) error {
	return Availability(budget).Judge(events).Err()
}

// Availability returns the rule of Available.
func Availability(budget time.Duration) Rule {
	return Rule{"available", "Changes are refused for no longer than " + budget.String() + ".", func(h history, v *Verdict) {
		a, err := newAvailability(h, budget)
		if err != nil {
			v.refuse(err)
			return
		}
		v.Judged = len(a.tries)
		a.judge(v)
	}}
}

// availability judges gaps between acknowledged changes.
type availability struct {
	history
	budget  time.Duration
	tries   []*journal.Event // attempted changes, by their beginnings
	without []span           // times without a quorum
	moves   []*journal.Event // flags and faults, by their beginnings
}

// span is a period of time.
type span struct{ from, to time.Time }

func newAvailability(h history, budget time.Duration) (a availability, err error) {
	a = availability{history: h, budget: budget}
	for _, e := range h.events {
		switch {
		case e.Kind == journal.Operation && !e.Op.Final && e.Op.Changes():
			a.tries = append(a.tries, e)
		case e.Kind == journal.Flag || e.Kind == journal.Fault:
			a.moves = append(a.moves, e)
		}
	}
	a.without, err = h.withoutQuorum()
	return a, err
}

// judge visits the changes in the order of their ends. begun counts those that had begun at the
// last acknowledged change, and busy is when the last of them ended.
func (a availability) judge(v *Verdict) {
	if len(a.tries) == 0 {
		return
	}
	ends := slices.Clone(a.tries)
	slices.SortStableFunc(ends, func(x, y *journal.Event) int { return x.End().Compare(y.End()) })
	last := ends[len(ends)-1].End()
	since, acknowledged := a.tries[0].At.Add(-1), (*journal.Event)(nil)
	begun, busy := 0, time.Time{}
	gap := func(to time.Time) {
		for ; begun < len(a.tries) && !a.tries[begun].At.After(since); begun++ {
			busy = later(busy, a.tries[begun].End())
		}
		from := since
		if !busy.After(since) { // no client tried at that moment
			if begun == len(a.tries) {
				return
			}
			from = a.tries[begun].At
		}
		a.refused(v, acknowledged, from, to)
	}
	for _, e := range ends {
		if e.Op.Outcome == journal.OK {
			gap(e.End())
			since, acknowledged = e.End(), e
		}
	}
	gap(last)
}

// refused judges the time from the first attempt to the next acknowledged change.
func (a availability) refused(v *Verdict, acknowledged *journal.Event, from, to time.Time) {
	gap := to.Sub(from)
	if gap <= a.budget {
		return
	}
	for _, s := range a.without {
		gap -= max(0, earlier(to, s.to).Sub(later(from, s.from)))
	}
	if gap <= a.budget {
		return
	}
	var witnesses []*journal.Event
	if acknowledged != nil {
		witnesses = append(witnesses, acknowledged)
	}
	after, _ := slices.BinarySearchFunc(a.moves, to, func(e *journal.Event, at time.Time) int { return e.At.Compare(at) })
	if after > 0 {
		witnesses = append(witnesses, a.moves[after-1])
	}
	v.violate(a.violation("not available", append(witnesses, a.trying(from)),
		"no change was acknowledged for %v, though clients tried; %v is the budget",
		gap.Round(time.Millisecond), a.budget))
}

// trying returns a change that was in progress at that moment.
func (a availability) trying(at time.Time) *journal.Event {
	for _, e := range a.tries {
		if !e.At.After(at) && e.End().After(at) {
			return e
		}
	}
	return a.tries[0]
}

// withoutQuorum returns the periods in which, by their flags, fewer voters than a quorum were
// online. It fails if flags changed and the history does not say which nodes vote.
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
