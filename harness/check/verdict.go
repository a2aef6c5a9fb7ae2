package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// The ways in which a history proves nothing. Errors of this package wrap one of them,
// or are or hold a *Violation.
var (
	ErrNothing   = errors.New("the history holds nothing to judge")
	ErrInvalid   = errors.New("the history cannot be judged")
	ErrUndecided = errors.New("the history could not be decided within the bounds of the search")
)

func nothing(what string) error { return fmt.Errorf("%w: %s", ErrNothing, what) }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Rule judges one promise. The rules of this package are values without state: they
// are safe for concurrent use.
type Rule struct {
	Name    string // as the literature has it: "linearizable"
	Promise string // in a sentence
	judge   func(history, *Verdict)
}

// Judge judges the events. It does not change them, and they must not change
// meanwhile. It blocks until it has decided, or has met its bounds of time and memory.
func (r Rule) Judge(events []journal.Event) Verdict {
	h, err := newHistory(events)
	if err != nil {
		return Verdict{Rule: r.Name, Refused: err}
	}
	return r.judgeHistory(h)
}

func (r Rule) judgeHistory(h history) Verdict {
	v := Verdict{Rule: r.Name, LeftOut: make(map[string]int)}
	r.judge(h, &v)
	slices.SortStableFunc(v.Violations, func(a, b *Violation) int { return a.size() - b.size() })
	return v
}

// Verdict is what a rule says of a history.
type Verdict struct {
	Rule       string
	Judged     int            // operations, or other events, that the rule looked at
	LeftOut    map[string]int // how many it could not use, by reason
	Notes      []string       // what the reader should know about how it was judged
	Violations []*Violation   // all that were found, the smallest first
	Undecided  []string       // what could not be decided within the bounds
	Refused    error          // why the history cannot be judged at all; wraps ErrInvalid
}

func (v *Verdict) violate(found *Violation) { v.Violations = append(v.Violations, found) }

func (v *Verdict) leaveOut(reason string) { v.LeftOut[reason]++ }

func (v *Verdict) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

func (v *Verdict) undecided(format string, args ...any) {
	v.Undecided = append(v.Undecided, fmt.Sprintf(format, args...))
}

func (v *Verdict) refuse(err error) { v.Refused = err }

// mostShown is how many violations an error spells out.
const mostShown = 3

// Err is nil if the promise was kept. It holds a *Violation for each that was found,
// or wraps ErrUndecided, ErrInvalid, or ErrNothing if nothing was judged.
func (v Verdict) Err() error {
	if v.Refused != nil {
		return fmt.Errorf("%s: %w", v.Rule, v.Refused)
	}
	var found []error
	for _, violation := range v.Violations[:min(len(v.Violations), mostShown)] {
		found = append(found, violation)
	}
	if more := len(v.Violations) - mostShown; more > 0 {
		found = append(found, fmt.Errorf("%s: %d more violations", v.Rule, more))
	}
	if len(v.Undecided) > 0 {
		found = append(found, fmt.Errorf("%s: %w: %s", v.Rule, ErrUndecided, strings.Join(v.Undecided, "; ")))
	}
	if len(found) == 0 && v.Judged == 0 {
		return fmt.Errorf("%s: %w%s", v.Rule, ErrNothing, v.leftOut(": "))
	}
	return errors.Join(found...)
}

// Counts says in words how much was judged and left out.
func (v Verdict) Counts() string { return fmt.Sprintf("%d judged%s", v.Judged, v.leftOut(", ")) }

func (v Verdict) leftOut(before string) string {
	if len(v.LeftOut) == 0 {
		return ""
	}
	var reasons []string
	for _, reason := range sorted(v.LeftOut) {
		reasons = append(reasons, fmt.Sprintf("%d left out: %s", v.LeftOut[reason], reason))
	}
	return before + strings.Join(reasons, ", ")
}
