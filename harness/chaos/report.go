package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// Report is what a hunt has done and found.
type Report struct {
	Target      string
	Seed        uint64 // of the first schedule
	Began       time.Time
	Took        time.Duration // real time
	ClusterTime time.Duration // by the clocks of the clusters
	Schedules   int
	Tally       workload.Tally
	Faults      map[fault.Kind]Count
	Reached     map[Goal]int // how often each goal was reached; without those that never were
	Expected    map[string]int
	Found       *Found // nil if no schedule failed
}

// Kinds returns the kinds of faults that were drawn, those that bit most often first.
func (r Report) Kinds() []fault.Kind { return (&summary{Faults: r.Faults}).kinds() }

// NotMadeWords says why faults of a kind were not made and how many; "" if all were made.
func (c Count) NotMadeWords() string { return c.reasons() }

// Found is a schedule that failed.
type Found struct {
	Failed Outcome
	// Least is the smallest schedule that failed in the same way, with its events if they are known.
	Least Outcome
	// Journal is the file with the events of Failed; "" if there is none.
	Journal string
	// Again are the commands that run it again, a line each.
	Again string
	// Spec is Least as a Ginkgo spec, and Imports what it imports besides Ginkgo and Gomega.
	Spec    string
	Imports []string
}

// report is what is known when the hunt ends.
func (h Hunt) report(sum *summary, found *Found) Report {
	return Report{
		Target: h.Name, Seed: h.Seed, Began: sum.begun, Took: time.Since(sum.begun), ClusterTime: sum.Passed, Schedules: sum.Schedules,
		Tally: sum.Tally, Faults: sum.Faults, Reached: sum.Reached, Expected: sum.Expected, Found: found,
	}
}

// tell gives the report to whom the hunt names.
func (h Hunt) tell(r Report) error {
	if h.Report == nil {
		return nil
	}
	return h.Report(r)
}

// found has what is known about a failure that was shrunk.
func (h Hunt) found(ctx context.Context, w player, failed, least *Outcome, journal string) (*Found, error) {
	if followed, err := witnessed(ctx, w, least); err == nil { // otherwise the timeline is empty
		least = followed
	}
	place, err := h.Place(failed.Schedule.Seed)
	if err != nil {
		return nil, err
	}
	found, err := newFound(h.Again(failed.Schedule.Seed, journal), failed, least, place)
	if err == nil {
		found.Journal = journal
	}
	return found, err
}

func newFound(commands string, failed, least *Outcome, at Place) (*Found, error) {
	spec, err := Spec(least.Schedule, at)
	if err != nil {
		return nil, fmt.Errorf("print a failure: %w", err)
	}
	return &Found{
		Failed: *failed, Least: *least, Again: strings.ReplaceAll(commands, "\n  ", "\n"), Spec: spec, Imports: imports(spec),
	}, nil
}
