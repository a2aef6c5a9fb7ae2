package compare_test

import (
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/journal/compare"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// events are n events, one a second.
func events(n int) []journal.Event {
	var all []journal.Event
	for i := range n {
		op := &journal.Op{Client: 1, Outcome: journal.OK}
		all = append(all, journal.Event{At: epoch.Add(time.Duration(i) * time.Second), Took: time.Millisecond,
			Kind: journal.Operation, Node: i % 3, Text: fmt.Sprint("INSERT ", i), Op: op})
	}
	return all
}

// changed are such events of which one is changed.
func changed(n, at int, change func(*journal.Event)) []journal.Event {
	all := events(n)
	change(&all[at])
	return all
}

func compared(a, b []journal.Event) *compare.Parting {
	GinkgoHelper()
	parting, err := compare.Journals(a, b)
	Expect(err).NotTo(HaveOccurred())
	return parting
}

var _ = Describe("Two journals", func() {
	It("are the same", func() {
		Expect(compared(events(5), events(5))).To(BeNil())
		Expect(compared(nil, nil)).To(BeNil())
	})

	It("are the same in any time zone", func() {
		b := changed(2, 1, func(e *journal.Event) { e.At = e.At.In(time.FixedZone("there", 3600)) })
		Expect(compared(events(2), b)).To(BeNil())
	})

	DescribeTable("part at the first event that differs in", func(change func(*journal.Event), field string) {
		parting := compared(events(9), changed(9, 4, change))
		Expect(parting.Index).To(Equal(4))
		Expect(parting.Fields).To(ConsistOf(HaveField("Name", field)))
	},
		Entry("its time, by a nanosecond", func(e *journal.Event) { e.At = e.At.Add(1) }, "at"),
		Entry("how long it took, by a nanosecond", func(e *journal.Event) { e.Took++ }, "took_ns"),
		Entry("its kind", func(e *journal.Event) { e.Kind = journal.Note }, "kind"),
		Entry("its node", func(e *journal.Event) { e.Node = 2 }, "node"),
		Entry("its text", func(e *journal.Event) { e.Text += "!" }, "text"),
		Entry("what went wrong", func(e *journal.Event) { e.Err = "no" }, "error"),
		Entry("what became of it", func(e *journal.Event) { e.Op = &journal.Op{Client: 1, Outcome: journal.Failed} }, "op"),
		Entry("what a node showed", func(e *journal.Event) { e.State = &journal.State{Term: 2} }, "state"),
		Entry("a flag", func(e *journal.Event) { e.Flag = &journal.FlagChange{Online: true} }, "flag"),
		Entry("a fault", func(e *journal.Event) { e.Fault = &journal.FaultChange{ID: 2} }, "fault"),
		Entry("a sample", func(e *journal.Event) { e.Sample = &journal.Sample{Applied: 2} }, "sample"),
		Entry("a poll", func(e *journal.Event) { e.Poll = &journal.Poll{Count: 2} }, "poll"),
		Entry("a place", func(e *journal.Event) { e.Place = &journal.Place{Line: 2} }, "place"),
		Entry("the members", func(e *journal.Event) { e.Members = &journal.Members{Voters: []int{1}} }, "members"),
	)

	It("part in the order of their events", func() {
		b := events(3)
		b[1], b[2] = b[2], b[1]
		Expect(compared(events(3), b)).To(HaveField("Index", 1))
	})

	It("part where one ends", func() {
		Expect(compared(events(3), events(2))).To(And(HaveField("Index", 2), HaveField("Fields", BeEmpty())))
		Expect(compared(nil, events(2))).To(HaveField("Index", 0))
	})

	DescribeTable("may differ in what no seed decides", func(a, b string, same bool) {
		parting := compared(changed(3, 1, func(e *journal.Event) { e.Err = a }), changed(3, 1, func(e *journal.Event) { e.Err = b }))
		Expect(parting == nil).To(Equal(same))
	},
		Entry("an address", "<*errors.errorString | 0xc000012345>: no", "<*errors.errorString | 0xc0000abcde>: no", true),
		Entry("a goroutine", "goroutine 12 [select]", "goroutine 1234 [select]", true),
		Entry("a directory of a run", "open /dev/shm/rejoin-nodes12/n0/db: no", "open /tmp/rejoin-nodes77/n0/db: no", true),
		Entry("but in the file there", "open /tmp/rejoin-nodes12/n0/db: no", "open /tmp/rejoin-nodes12/n1/db: no", false),
		Entry("but in a number", "node 1: no", "node 2: no", false),
	)
})

var _ = Describe("A parting", func() {
	It("shows both sides, with the events before", func() {
		parting := compared(events(9), changed(8, 4, func(e *journal.Event) { e.Took += 7; e.Text = "INSERT 99" }))
		Expect(parting.Write("the failure", "this run", 2)).To(Equal(strings.TrimPrefix(`
The journals part at event 5, 4s into the run, of 9 events (the failure) and 8 (this run).
  text: "INSERT 4" (the failure), "INSERT 99" (this run)
  took_ns: 1000000 (the failure), 1000007 (this run)

  both:
       2.000000000s [1ms] operation node 2 client 1: INSERT 2
       3.000000000s [1ms] operation node 0 client 1: INSERT 3
  the failure:
       4.000000000s [1ms] operation node 1 client 1: INSERT 4
       5.000000000s [1ms] operation node 2 client 1: INSERT 5
  this run:
       4.000000000s [1.000007ms] operation node 1 client 1: INSERT 99
       5.000000000s [1ms] operation node 2 client 1: INSERT 5
`, "\n")))
	})

	It("shows that one has ended", func() {
		text := compared(events(2), events(1)).Write("first", "second", 3)
		Expect(text).To(ContainSubstring("There second has ended.\n"))
		Expect(text).To(HaveSuffix("  second:\n    nothing more\n"))
		Expect(compared(nil, events(1)).Write("first", "second", 3)).To(ContainSubstring("  both:\n    nothing\n  first:\n    nothing more\n"))
	})
})
