package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// The reasons for which a history proves nothing. An error of this package wraps one of them, or is
// or holds a *Violation.
var (
	ErrNothing   = errors.New("the history holds nothing to judge")
	ErrInvalid   = errors.New("the history cannot be judged")
	ErrUndecided = errors.New("the search reached its bounds before the history was decided")
)

func nothing(what string) error { return fmt.Errorf("%w: %s", ErrNothing, what) }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Rule judges one promise. It has no state, and is safe for concurrent use.
type Rule struct {
	Name    string // the term of the literature, such as "linearizable"
	Promise string // as a sentence
	judge   func(history, *Verdict)
}

// Judge judges the events. It does not change them, and they must not change meanwhile. It blocks
// until it has decided, or has reached its bounds of work and memory.
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

// Verdict is the result of a rule for a history.
type Verdict struct {
	Rule       string
	Judged     int            // operations or other events that the rule used
	LeftOut    map[string]int // how many it could not use, by reason
	Notes      []string       // remarks about how it was judged
	Violations []*Violation   // the smallest first
	Undecided  []string       // what was not decided within the bounds
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

// mostShown is how many violations an error lists.
const mostShown = 3

// RuleError is the error of a rule: the first of its violations, or why it could not decide.
type RuleError struct {
	Rule string
	Err  error
}

func (e *RuleError) Error() string { return e.Err.Error() }
func (e *RuleError) Unwrap() error { return e.Err }

// Err returns nil if the promise was kept. Otherwise the error is a *RuleError that holds the first violations, or wraps
// ErrUndecided, ErrInvalid, or ErrNothing if nothing was judged.
func (v Verdict) Err() error {
	if v.Refused != nil {
		return &RuleError{v.Rule, fmt.Errorf("%s: %w", v.Rule, v.Refused)}
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
		return &RuleError{v.Rule, fmt.Errorf("%s: %w%s", v.Rule, ErrNothing, v.leftOut(": "))}
	}
	if len(found) == 0 {
		return nil
	}
	return &RuleError{v.Rule, errors.Join(found...)}
}

// Counts describes how much was judged and left out.
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
