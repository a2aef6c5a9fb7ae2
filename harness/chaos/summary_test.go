package chaos_test

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/workload"
)

var _ = Describe("A summary", func() {
	It("adds up runs, and names what was never reached", func() {
		s := chaos.NewSummary(time.Now())
		goal := chaos.Goals()[0]
		for range 2 {
			s.Add(&chaos.Outcome{
				Tally: workload.Tally{OK: 10, Failed: 2, Unknown: 1}, Passed: time.Hour,
				Faults:  map[fault.Kind]chaos.Count{"crash": {Made: 3, Bit: 2, InTheWay: 1, NotDue: 1}, "stop": {Made: 1}, "pause": {Unsupported: 2}},
				Reached: map[chaos.Goal]int{goal: 1},
			})
		}
		s.Add(&chaos.Outcome{Failure: &chaos.Failure{}})
		Expect(s.String()).To(MatchRegexp(`^3 schedules, 2.00 cluster hours in 0s, 20 operations, `+
			`faults that bit: crash 4, pause 0, stop 0; states reached 1 of %d$`, len(chaos.Goals())))
		Expect(s.Report()).To(ContainSubstring("operations: 20 ok, 4 failed, 2 unknown"))
		Expect(s.Report()).To(MatchRegexp(`crash +6 made, +4 bit, +4 not made ` +
			`\(other faults were in the way: 2, the schedule ended first: 2\)\n`))
		Expect(s.Report()).To(MatchRegexp(`stop +2 made, +0 bit, +0 not made\n`))
		Expect(s.Report()).To(ContainSubstring("never made: pause, 4 drawn (unsupported by the target: 4)\n"))
		Expect(s.Report()).NotTo(ContainSubstring("never made: stop"))
		Expect(s.Report()).NotTo(ContainSubstring("never reached: " + string(goal)))
		Expect(s.Report()).To(ContainSubstring("never reached: " + string(chaos.Goals()[1])))
	})

	It("has at least a dozen states to reach", func() { Expect(len(chaos.Goals())).To(BeNumerically(">=", 12)) })
})

var _ = Describe("A timeline", func() {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }

	It("has all faults and errors, and the end of the rest", func() {
		events := []journal.Event{
			{At: at(10), Kind: journal.Note, Node: journal.None, Text: "boot"},
			{At: at(11), Kind: journal.Flag, Node: 1, Text: "take offline"},
		}
		for i := range 1000 {
			op := &journal.Op{Client: journal.None, Outcome: journal.OK}
			events = append(events, journal.Event{At: at(12 + i), Kind: journal.Operation, Node: 0, Text: "SELECT", Op: op})
		}
		long := strings.Repeat("lost ", 100)
		events = append(events, journal.Event{At: at(2000), Kind: journal.Check, Node: journal.None, Text: "invariants", Err: long})
		lines := strings.Split(strings.TrimSuffix(chaos.Timeline(events, 10), "\n"), "\n")
		Expect(len(lines)).To(BeNumerically("<=", 13))
		Expect(lines[:3]).To(HaveExactElements(
			Equal("            (1 events)"), Equal("      1.000s flag node 1: take offline"), Equal("            (992 events)")))
		Expect(lines[3:11]).To(HaveEach(HaveSuffix("operation node 0: SELECT")))
		Expect(lines[11:]).To(HaveExactElements(And(ContainSubstring("1990.000s check: invariants"), HaveSuffix("…"))))
	})

	It("says that there is none", func() { Expect(chaos.Timeline(nil, 10)).To(Equal("  the journal is empty\n")) })
})

var _ = It("A failure is printed with the command that runs it again, its timeline and its spec", func() {
	var out strings.Builder
	failed := &chaos.Outcome{Schedule: ofAllKinds(), Failure: &chaos.Failure{Broken: chaos.Safety, Reason: "list l lost 7"}}
	least := &chaos.Outcome{Schedule: one(chaos.Entry{Fault: fault.Fault{Kind: "crash"}}), Failure: failed.Failure}
	least.Events = []journal.Event{{At: time.Unix(1, 0), Kind: journal.Flag, Text: "take offline"}}
	found, err := chaos.NewFound("make chaos SEED=3", failed, least, inVirtualTime)
	Expect(err).NotTo(HaveOccurred())
	Expect(chaos.PrintFailure(&out, found)).To(Succeed())
	Expect(out.String()).To(And(ContainSubstring("FAILED safety: list l lost 7"), ContainSubstring("Again:\n  make chaos SEED=3\n"),
		ContainSubstring(fmt.Sprintf("from %d faults to 1", len(failed.Schedule.Faults))), ContainSubstring("flag node 0: take offline"),
		ContainSubstring(`Kind: "crash"`),
		ContainSubstring("imports Ginkgo, Gomega and\n  time\n  github.com/rejoin-db/rejoin/harness/chaos\n")))
})
