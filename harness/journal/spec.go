package journal

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// SpecBoundary is the beginning or the end of a spec. A schedule of faults has only an end.
type SpecBoundary struct {
	Name  string `json:"name,omitempty"`  // the full text of the spec
	State string `json:"state,omitempty"` // how it ended, such as "passed"; empty at its beginning
}

// Passed is the State of a spec that passed.
const Passed = "passed"

// Place is a line of source code.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// BeginSpec records that a spec begins.
func (j *Journal) BeginSpec(name string, at Place) {
	j.Record(Event{Kind: Spec, Node: None, Spec: &SpecBoundary{Name: name}, Place: &at})
}

// EndSpec records that a spec ends: its state, such as Passed, and the failure, or "".
func (j *Journal) EndSpec(name, state string, at Place, failure string) {
	j.Record(Event{Kind: Spec, Node: None, Spec: &SpecBoundary{Name: name, State: state}, Place: &at, Err: failure})
}

// Step records a step of a spec that began at that time, such as a By of Ginkgo's. It takes its
// place among events that were recorded since.
func (j *Journal) Step(began time.Time, text string, at Place) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.recordLocked(Event{At: began, Kind: By, Node: None, Text: text, Place: &at})
	for i := j.kept - 1; i > 0; i-- {
		last, before := j.at(i), j.at(i-1)
		if !before.End().After(last.End()) {
			break
		}
		*last, *before = *before, *last
	}
}

// LastStep returns when the last step began that the journal has; the zero time if it has none.
func (j *Journal) LastStep() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := j.kept - 1; i >= 0; i-- {
		if e := j.at(i); e.Kind == By {
			return e.At
		}
	}
	return time.Time{}
}

// Poll tells how often a condition was polled and did not hold, and what was found.
type Poll struct {
	Condition string `json:"condition"`
	Count     int    `json:"count"` // polls at which it did not hold
	First     string `json:"first"` // what the first of them found
	Last      string `json:"last"`  // what the last of them found
	Held      bool   `json:"held"`  // whether the condition held after them
}

// mostPolled is how many conditions a journal follows at a time.
const mostPolled = 32

// polled is a condition that has not held yet.
type polled struct {
	event Event
	poll  Poll
	order int
}

// Polled notes that a condition on a node, or on None, was polled, whether it held, and what was
// found. All polls of one condition that did not hold are one event, recorded when the condition
// holds, and as not Held while it does not.
func (j *Journal) Polled(node int, condition string, held bool, found string) {
	key := pollKey{node, condition}
	found = clipped(found)
	j.mu.Lock()
	defer j.mu.Unlock()
	p := j.polled[key]
	switch {
	case held && p == nil:
		return
	case held:
		p.poll.Held = true
		j.endPollLocked(p)
		return
	case p == nil:
		if len(j.polled) == mostPolled {
			j.endPollLocked(j.pollsLocked()[0])
		}
		j.polls++
		p = &polled{event: Event{At: time.Now(), Kind: Polls, Node: node}, poll: Poll{Condition: condition, First: found}, order: j.polls}
		j.polled[key] = p
	}
	p.poll.Count++
	p.poll.Last = found
	p.event.Took = time.Since(p.event.At)
}

// clipped bounds what a poll found, in bytes.
func clipped(text string) string {
	const most = 1000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

type pollKey struct {
	node      int
	condition string
}

func (j *Journal) endPollLocked(p *polled) {
	delete(j.polled, pollKey{p.event.Node, p.poll.Condition})
	if p.poll.Held {
		p.event.Took = time.Since(p.event.At)
	}
	j.recordLocked(p.seen())
}

// pollsLocked returns the conditions that have not held, the oldest first.
func (j *Journal) pollsLocked() []*polled {
	all := make([]*polled, 0, len(j.polled))
	for _, p := range j.polled {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *polled) int { return cmp.Compare(a.order, b.order) })
	return all
}

// seen returns the event as it is now.
func (p *polled) seen() Event {
	e, poll := p.event, p.poll
	e.Poll = &poll
	return e
}
