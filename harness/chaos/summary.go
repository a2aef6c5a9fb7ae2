package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// summary adds up the outcomes of many runs.
type summary struct {
	Schedules int
	Failed    int
	Passed    time.Duration // by the clocks of the clusters
	Tally     workload.Tally
	Faults    map[fault.Kind]Count
	Reached   map[Goal]int
	Expected  map[string]int // schedules that showed what the database does not claim, by claim

	begun time.Time
}

// newSummary returns a summary of no runs, which began then.
func newSummary(begun time.Time) *summary {
	return &summary{Faults: make(map[fault.Kind]Count), Reached: make(map[Goal]int), Expected: make(map[string]int), begun: begun}
}

// add adds a run.
func (s *summary) add(o *Outcome) {
	s.Schedules++
	if o.Failure != nil {
		s.Failed++
	}
	s.Passed += o.Passed
	s.Tally.OK += o.Tally.OK
	s.Tally.Failed += o.Tally.Failed
	s.Tally.Unknown += o.Tally.Unknown
	for kind, count := range o.Faults {
		s.Faults[kind] = s.Faults[kind].plus(count)
	}
	for _, claim := range o.Expected {
		s.Expected[claim]++
	}
	for goal, times := range o.Reached {
		s.Reached[goal] += times
	}
}

// kinds returns the kinds of faults that were drawn, those that bit most often first.
func (s *summary) kinds() []fault.Kind {
	kinds := slices.Collect(maps.Keys(s.Faults))
	slices.SortFunc(kinds, func(a, b fault.Kind) int {
		return cmp.Or(cmp.Compare(s.Faults[b].Bit, s.Faults[a].Bit), cmp.Compare(a, b))
	})
	return kinds
}

// String is the state of the hunt as one line.
func (s *summary) String() string {
	const most = 6
	var bit []string
	kinds := s.kinds()
	for _, k := range kinds[:min(len(kinds), most)] {
		bit = append(bit, fmt.Sprintf("%s %d", k, s.Faults[k].Bit))
	}
	return fmt.Sprintf("%d schedules, %.2f cluster hours in %v, %d operations, faults that bit: %s; states reached %d of %d",
		s.Schedules, s.Passed.Hours(), time.Since(s.begun).Round(time.Second), s.Tally.OK, strings.Join(bit, ", "), len(s.Reached), len(goals))
}

// brief is the state in fewer words, beside the number of schedules and the time.
func (s *summary) brief() string {
	bit := 0
	for _, count := range s.Faults {
		bit += count.Bit
	}
	return fmt.Sprintf("%d operations, %d faults bit, states reached %d of %d", s.Tally.OK, bit, len(s.Reached), len(goals))
}

// report is all of it: the faults by kind, with the reasons why some were not made, the kinds that were
// drawn and never made, and the goals that were never reached.
func (s *summary) report() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d schedules, %v of cluster time in %v: %d failures\n",
		s.Schedules, s.Passed.Round(time.Second), time.Since(s.begun).Round(time.Second), s.Failed)
	fmt.Fprintf(&b, "operations: %d ok, %d failed, %d unknown\n", s.Tally.OK, s.Tally.Failed, s.Tally.Unknown)
	for _, claim := range slices.Sorted(maps.Keys(s.Expected)) {
		fmt.Fprintf(&b, "expected in %d schedules, and no failure: %s\n", s.Expected[claim], claim)
	}
	for _, k := range s.kinds() {
		fmt.Fprintf(&b, "  %-22s %s\n", k, s.Faults[k])
	}
	for _, k := range s.kinds() {
		if c := s.Faults[k]; c.Made == 0 && c.Drawn() > 0 {
			fmt.Fprintf(&b, "never made: %s, %d drawn (%s)\n", k, c.Drawn(), c.reasons())
		}
	}
	for _, g := range Goals() {
		if s.Reached[g] == 0 {
			fmt.Fprintf(&b, "never reached: %s\n", g)
		}
	}
	return b.String()
}
