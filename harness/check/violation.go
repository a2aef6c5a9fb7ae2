package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Violation is a promise that a history breaks.
type Violation struct {
	Rule   string // what is broken, as the literature names it
	Text   string // how, in a sentence
	Events []journal.Event
	HTML   []byte // a picture of it, where there is one
	begun  time.Time
	events int // that the violation is made of, shown or not
}

func (v *Violation) size() int { return max(v.events, len(v.Events)) }

// Error is the sentence, and the witnesses, a line each, with the time since the
// history began.
func (v *Violation) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.Rule, v.Text)
	for _, e := range v.Events {
		fmt.Fprintf(&b, "\n  %+.1fms to %+.1fms  %s", ms(e.At.Sub(v.begun)), ms(e.End().Sub(v.begun)), e)
	}
	return b.String()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// history is what checkers read: the events, sorted by when they began. They are
// those of the caller, and are not changed.
type history struct {
	events []*journal.Event
	begun  time.Time
}

// newHistory refuses events that no checker can understand.
func newHistory(events []journal.Event) (history, error) {
	sorted := make([]*journal.Event, len(events))
	for i := range events {
		if err := events[i].Validate(); err != nil {
			return history{}, invalid("event %d: %v", i+1, err)
		}
		sorted[i] = &events[i]
	}
	slices.SortStableFunc(sorted, func(a, b *journal.Event) int { return a.At.Compare(b.At) })
	h := history{events: sorted}
	if len(sorted) > 0 {
		h.begun = sorted[0].At
	}
	return h, nil
}

func (h history) violation(rule string, witnesses []*journal.Event, format string, args ...any) *Violation {
	const most = 12
	v := &Violation{Rule: rule, Text: fmt.Sprintf(format, args...), begun: h.begun, events: len(witnesses)}
	for _, e := range witnesses[:min(len(witnesses), most)] {
		v.Events = append(v.Events, *e)
	}
	slices.SortStableFunc(v.Events, func(a, b journal.Event) int { return a.At.Compare(b.At) })
	return v
}

// of are the operations of a model.
func (h history) of(model journal.Model) []*journal.Event {
	var found []*journal.Event
	for _, e := range h.events {
		if e.Kind == journal.Operation && e.Op.Model == model {
			found = append(found, e)
		}
	}
	return found
}

// step is one step, and the operation that it is of.
type step struct {
	journal.Step
	event *journal.Event
}

// was tells what became of the step's operation.
func (s step) was(outcome journal.Outcome) bool { return s.event.Op.Outcome == outcome }

// knows tells whether what the step read is known.
func (s step) knows() bool { return s.was(journal.OK) && s.Got != nil }

// byKey are the steps of operations by what they are about, in the order of their
// operations' beginnings, and the keys in order.
func byKey(events []*journal.Event) (keys []string, steps map[string][]step) {
	steps = make(map[string][]step)
	for _, e := range events {
		for _, s := range e.Op.Steps {
			steps[s.Key] = append(steps[s.Key], step{s, e})
		}
	}
	for key := range steps {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys, steps
}

// sorted are the keys of a map, in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	var keys []K
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
