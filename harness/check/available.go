package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Available judges how long changes were refused: from one that was acknowledged to
// the next, as long as clients tried, no more than the budget passed. Time in which
// fewer nodes than a quorum were online, by their flags, is excused.
func Available(events []journal.Event, budget time.Duration) error {
	h := newHistory(events)
	tries := h.changes()
	if len(tries) == 0 {
		return nothing("nobody tried to change anything")
	}
	without := h.withoutQuorum()
	ends := byEnd(tries)
	since := journal.Event{At: tries[0].At, Kind: journal.Note, Node: journal.Nobody, Text: "the first try"}
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

// changes are the operations that change anything; plain SQL counts if it was named
// as a change is.
func (h history) changes() []journal.Event {
	var found []journal.Event
	for _, e := range h.events {
		if e.Kind == journal.Operation && e.Op != nil && !e.Op.Final && (e.Op.Changes() || len(e.Op.Steps) == 0 && writes(e.Text)) {
			found = append(found, e)
		}
	}
	return found
}

func writes(sql string) bool {
	verb, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	return slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "REPLACE"}, strings.ToUpper(verb))
}

func byEnd(events []journal.Event) []journal.Event {
	ends := slices.Clone(events)
	slices.SortStableFunc(ends, func(a, b journal.Event) int { return a.End().Compare(b.End()) })
	return ends
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// refused judges the time from one acknowledged change to the next. It counts from
// when somebody tried: who rests is not refused.
func (h history) refused(since journal.Event, to time.Time, budget time.Duration, tries []journal.Event, without []span) error {
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
	witnesses := []journal.Event{since}
	for _, e := range h.events {
		if (e.Kind == journal.Flag || e.Kind == journal.Fault) && e.At.Before(to) {
			witnesses = append(witnesses[:1], e) // the last before the end
		}
	}
	return h.violation("not available", witnesses, "no change was acknowledged for %v, though clients tried; %v is the budget", gap.Round(time.Millisecond), budget)
}

// withoutQuorum are the times in which too few nodes were online.
func (h history) withoutQuorum() []span {
	size, offline := 0, make(map[int]bool)
	var spans []span
	var begun *time.Time
	for _, e := range h.events {
		if e.Kind == journal.Note {
			if n := 0; size == 0 && strings.HasPrefix(e.Text, "boot ") {
				if _, err := fmt.Sscanf(e.Text, "boot %d nodes", &n); err == nil {
					size = n
				}
			}
			continue
		}
		if e.Kind != journal.Flag || e.Err != "" {
			continue
		}
		at := e.At
		switch {
		case strings.HasPrefix(e.Text, journal.TakeOffline):
			offline[e.Node] = true
		case strings.HasPrefix(e.Text, journal.BringOnline):
			delete(offline, e.Node)
			at = e.End()
		}
		lost := size > 0 && size-len(offline) < size/2+1
		switch {
		case lost && begun == nil:
			begun = &at
		case !lost && begun != nil:
			spans = append(spans, span{*begun, at})
			begun = nil
		}
	}
	if begun != nil && len(h.events) > 0 {
		spans = append(spans, span{*begun, byEnd(h.events)[len(h.events)-1].End()})
	}
	return spans
}

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
