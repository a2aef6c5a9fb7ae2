package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// Violation shows how a history breaks a promise.
type Violation struct {
	Rule   string // the anomaly, in the terms of the literature
	Text   string // as a sentence
	Events []journal.Event
	HTML   []byte // a picture of it, or nil
	// Cycle are the dependencies of transactions on each other, where they form a cycle: each is of one transaction on the next,
	// and the last of the last one on the first.
	Cycle  []Dependency
	begun  time.Time
	events int // that make up the violation, shown or not
}

// Dependency is an edge of a graph of transactions.
type Dependency struct {
	Name string        // of the transaction that it begins at, as in the text: T1, T2, …
	From journal.Event // that transaction
	Kind string        // ww, wr or rw, by what the two did to a key (Adya 1999), or rt: one had ended when the other began
	Text string        // as a sentence
}

func (v *Violation) size() int { return max(v.events, len(v.Events)) }

// Error returns the sentence, and a line for each witness with its time since the beginning of the
// history.
func (v *Violation) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", v.Rule, v.Text)
	for _, e := range v.Events {
		fmt.Fprintf(&b, "\n  %+.1fms to %+.1fms  %s", ms(e.At.Sub(v.begun)), ms(e.End().Sub(v.begun)), e)
	}
	return b.String()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// history has the events of the caller, sorted by their beginnings. They are not changed.
type history struct {
	events []*journal.Event
	begun  time.Time
}

// newHistory refuses events that are not valid.
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

// of returns the operations of a model.
func (h history) of(model journal.Model) []*journal.Event {
	var found []*journal.Event
	for _, e := range h.events {
		if e.Kind == journal.Operation && e.Op.Model == model {
			found = append(found, e)
		}
	}
	return found
}

// step is one step of an operation.
type step struct {
	journal.Step
	event *journal.Event
}

// was tells whether the step's operation has that outcome.
func (s step) was(outcome journal.Outcome) bool { return s.event.Op.Outcome == outcome }

// knows tells whether the result of the step is known.
func (s step) knows() bool { return s.was(journal.OK) && s.Got != nil }

// byKey returns the steps of operations by key, in the order of the operations' beginnings, and the
// keys in order.
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

// sorted returns the keys of a map in order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	var keys []K
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
