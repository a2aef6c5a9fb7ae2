package journal_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("The journal of a spec", func() {
	place := journal.Place{File: "a_test.go", Line: 7}

	It("says where the spec begins, and how it ends", func() {
		j := journal.New(0)
		j.BeginSpec("a node returns", place)
		j.EndSpec("a node returns", "failed", journal.Place{File: "b_test.go", Line: 9}, "no quorum")
		Expect(j.Events()).To(HaveExactElements(
			HaveField("String()", "spec: begin a node returns [a_test.go:7]"),
			HaveField("String()", "spec: end failed [b_test.go:9] -> no quorum")))
	})

	It("has each step in its place, although it is recorded later", func() {
		j := journal.New(3)
		for i := range 4 {
			j.Record(journal.Event{At: at.Add(time.Duration(10 * i)), Kind: journal.Note, Node: journal.None, Text: fmt.Sprint(i)})
		}
		Expect(j.LastStep()).To(BeZero())
		j.Step(at.Add(25), "between", place)
		Expect(texts(j, -1)).To(Equal([]string{"2", "between", "3"}))
		j.Step(at.Add(30), "as late as the last", place)
		Expect(texts(j, -1)).To(Equal([]string{"between", "3", "as late as the last"}))
		Expect(j.LastStep()).To(Equal(at.Add(30)))
		Expect(j.Last(1)[0].String()).To(Equal("by: as late as the last [a_test.go:7]"))
	})
})

var _ = Describe("The polls of a condition", func() {
	It("are one event, recorded when the condition holds", func() {
		j := journal.New(0)
		j.Polled(1, "be online", true, "at once")
		Expect(j.Events()).To(BeEmpty(), "a condition that holds at once is no news")
		j.Polled(1, "be online", false, "it is syncing")
		j.Polled(2, "be online", false, "it is leaving")
		j.Polled(1, "be online", false, "it is behind")
		Expect(j.Total()).To(BeZero())
		Expect(j.Events()).To(HaveExactElements(
			And(HaveField("Node", 1), HaveField("Poll", &journal.Poll{Condition: "be online", Count: 2, First: "it is syncing",
				Last: "it is behind"})),
			And(HaveField("Node", 2), HaveField("Poll.Held", false))))
		j.Polled(1, "be online", true, "it is online")
		Expect(j.Last(-1)).To(HaveExactElements(HaveField("Poll.Held", true)))
		Expect(j.Last(1)[0].Words()).To(Equal(`"be online" did not hold at 2 polls: first it is syncing; last it is behind; then it held`))
		Expect(j.Events()).To(HaveLen(2))
	})

	It("are bounded, in number and in what they found", func() {
		j := journal.New(0)
		for i := range 100 {
			j.Polled(journal.None, fmt.Sprint(i), false, strings.Repeat("ä", 1000))
		}
		Expect(j.Total()).To(Equal(68), "the oldest are recorded as not held")
		Expect(j.Last(-1)[0].Poll).To(And(HaveField("Condition", "0"), HaveField("Held", false)))
		Expect(len(j.Last(1)[0].Poll.First)).To(BeNumerically("<", 1010))
	})
})

func BenchmarkFault(b *testing.B) {
	j := journal.New(0)
	b.ReportAllocs()
	for b.Loop() {
		change := journal.FaultChange{Fault: fault.Fault{Kind: fault.KindCrash, Node: 1}, Phase: journal.Begins, ID: j.FaultID()}
		j.Record(journal.Event{Kind: journal.Fault, Node: 1, Fault: &change})
	}
}

func BenchmarkPolled(b *testing.B) {
	j := journal.New(0)
	b.ReportAllocs()
	for b.Loop() {
		j.Polled(1, "be online", false, "it shows itself syncing")
	}
}
