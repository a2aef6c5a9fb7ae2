package page

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Verdict is what a judge of package check says about the journal.
type Verdict struct {
	Rule       string      `json:"rule"`
	Promise    string      `json:"promise"`
	Result     string      `json:"result"` // "kept", "broken", "undecided", "refused" or "nothing to judge"
	Judged     int         `json:"judged"`
	LeftOut    []Count     `json:"leftOut,omitempty"`
	Notes      []string    `json:"notes,omitempty"`
	Violations []Violation `json:"violations,omitempty"` // the smallest first, at most mostViolations
	More       int         `json:"more,omitempty"`       // violations that are not listed
	Undecided  []string    `json:"undecided,omitempty"`
	Refused    string      `json:"refused,omitempty"`
}

// Count is how many events were left out, and why.
type Count struct {
	Why   string `json:"why"`
	Count int    `json:"count"`
}

// Violation is a counterexample, with the indexes of its events.
type Violation struct {
	Rule   string `json:"rule"`
	Text   string `json:"text"`
	Events []int  `json:"events"`
	// Cycle are the dependencies of transactions that form a cycle: see check.Violation.
	Cycle []Edge `json:"cycle,omitempty"`
	// Picture is porcupine's page of the operations up to it, with the faults as annotations; empty if there is none.
	Picture string `json:"picture,omitempty"`
}

// Edge is a dependency of a transaction on the next one of a cycle.
type Edge struct {
	Name  string `json:"name"`
	Event int    `json:"event"` // index; -1 if the journal does not have it
	Kind  string `json:"kind"`
	Text  string `json:"text"`
}

const mostViolations = 20

// mostCycle bounds a drawn cycle: a circle of more transactions cannot be read.
const mostCycle = 12

// mostPicture bounds a picture in the page, in bytes.
const mostPicture = 512 << 10

// Judge judges the events by the rules for every history, and adds their verdicts. It blocks until all have decided.
func (t *Trace) Judge(header journal.Header, events []journal.Event) {
	gap := check.Gap(header.Dropped)
	index := indexOf(events)
	for _, rule := range check.Rules() {
		v := Verdict{Rule: rule.Name, Promise: rule.Promise}
		if gap != nil {
			v.Result, v.Refused = "refused", gap.Error()
		} else {
			v.say(rule.Judge(events), index)
		}
		t.Verdicts = append(t.Verdicts, v)
	}
	slices.SortStableFunc(t.Verdicts, func(a, b Verdict) int { return rank(a.Result) - rank(b.Result) })
}

// rank orders verdicts: those that need a reader come first.
func rank(result string) int {
	return slices.Index([]string{"broken", "undecided", "refused", "kept", "nothing to judge"}, result)
}

func (v *Verdict) say(said check.Verdict, index map[string]int) {
	v.Judged, v.Notes, v.Undecided = said.Judged, said.Notes, said.Undecided
	for why, count := range said.LeftOut {
		v.LeftOut = append(v.LeftOut, Count{why, count})
	}
	slices.SortFunc(v.LeftOut, func(a, b Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Why, b.Why)) })
	for _, found := range said.Violations[:min(len(said.Violations), mostViolations)] {
		one := Violation{Rule: found.Rule, Text: found.Text, Events: []int{}}
		if len(found.HTML) <= mostPicture {
			one.Picture = string(found.HTML)
		}
		for _, e := range found.Events {
			if i, known := index[name(e)]; known {
				one.Events = append(one.Events, i)
			}
		}
		if len(found.Cycle) <= mostCycle {
			for _, d := range found.Cycle {
				edge := Edge{Name: d.Name, Event: -1, Kind: d.Kind, Text: d.Text}
				if i, known := index[name(d.From)]; known {
					edge.Event = i
				}
				one.Cycle = append(one.Cycle, edge)
			}
		}
		v.Violations = append(v.Violations, one)
	}
	v.More = len(said.Violations) - len(v.Violations)
	err := said.Err()
	switch {
	case len(said.Violations) > 0:
		v.Result = "broken"
	case said.Refused != nil:
		v.Result, v.Refused = "refused", said.Refused.Error()
	case errors.Is(err, check.ErrNothing):
		v.Result = "nothing to judge"
	case err != nil:
		v.Result = "undecided"
	default:
		v.Result = "kept"
	}
}

// indexOf finds events by their content.
func indexOf(events []journal.Event) map[string]int {
	index := make(map[string]int, len(events))
	for i, e := range events {
		index[name(e)] = i
	}
	return index
}

// name tells events apart: when, where and what.
func name(e journal.Event) string { return fmt.Sprint(e.At.UnixNano(), int64(e.Took), " ", e) }
