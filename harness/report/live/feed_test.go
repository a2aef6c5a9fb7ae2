package live_test

import (
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

var _ = Describe("The feed of the timeline", func() {
	It("sends words once, and goes on until now", func(ctx SpecContext) {
		p, _ := playFake(ctx)
		var first, second live.Feed
		p.send(ctx, http.MethodGet, "trace?since=0", "").into(&first)
		Expect(first.Words).To(HaveLen(len(first.Numbers)))
		Expect(first.Words).To(ContainElement(HavePrefix("boot: 3 nodes")))
		Expect(p.cluster.TakeNodeOffline(ctx, 1, fault.Crash)).To(Succeed())
		p.send(ctx, http.MethodGet, "trace?since=1", "").into(&second)
		Expect(len(second.Numbers)).To(BeNumerically(">", len(first.Numbers)))
		Expect(second.Words).To(HaveLen(len(second.Numbers) - 1))
		Expect(second.Lines).To(HaveLen(len(second.Words)))
		Expect(second.Lines[0]).To(HavePrefix(`{"at":`))
		Expect(second.Length).To(BeNumerically(">", first.Length))
		Expect(second.Nodes[1].Away).To(ConsistOf(And(HaveField("Is", "crash"), HaveField("To", second.Length))))
		Expect(p.send(ctx, http.MethodGet, "trace", "").status).To(Equal(http.StatusBadRequest))
		Expect(p.send(ctx, http.MethodGet, "state?since=x", "").status).To(Equal(http.StatusBadRequest))
	}, patience)

	It("shows operations that have not ended", func() {
		j := journal.New(10)
		feed := live.FeedOf(j)
		j.Record(journal.Event{Kind: journal.Note, Node: journal.None, Text: "before"})
		open := j.Invoke(journal.Op{Client: 7, Model: journal.Counter, Steps: []journal.Step{{Do: journal.Read, Key: "n"}}})
		shown, err := feed(1, time.Now())
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.Numbers).To(Equal([]int{1, 0}))
		Expect(shown.Words).To(ConsistOf(ContainSubstring("it has not ended")))
		Expect(shown.Clients).To(ConsistOf(HaveField("Spans", ConsistOf(And(HaveField("Is", "unknown"),
			HaveField("Text", HavePrefix("under way")))))))
		open.End(journal.OK, nil, nil)
		shown, err = feed(1, time.Now())
		Expect(err).NotTo(HaveOccurred())
		Expect(shown.Numbers).To(Equal([]int{1, 2}))
		Expect(shown.Clients).To(ConsistOf(HaveField("Spans", ConsistOf(HaveField("Is", "ok")))))
	})

	It("keeps what is old and still holds, and forgets the rest", func() {
		j := journal.New(1_000_000)
		begin := time.Now()
		at := func(i int) time.Time { return begin.Add(time.Duration(i) * time.Millisecond) }
		feed := live.FeedOf(j)
		j.Record(journal.Event{At: at(0), Kind: journal.Boot, Node: journal.None, Boot: &journal.BootInfo{Size: 3}})
		j.Record(journal.Event{At: at(1), Kind: journal.Role, Node: 2, State: &journal.State{Role: "leader", Term: 7}})
		j.Record(journal.Event{At: at(2), Kind: journal.Shown, Node: 2, State: &journal.State{Health: "online", Role: "leader", Term: 7}})
		j.Record(journal.Event{At: at(3), Kind: journal.Flag, Node: 0, Flag: &journal.FlagChange{Mode: fault.Crash}})
		j.Record(journal.Event{At: at(4), Kind: journal.Fault, Node: 1, Fault: &journal.FaultChange{
			Fault: fault.Fault{Kind: fault.KindDisk, Node: 1, Disk: &fault.Disk{Full: true}}, Phase: journal.Begins, ID: j.FaultID()}})
		for round := range 3 {
			for i := range live.MostOthers + live.MostOperations {
				kind, op := journal.Note, (*journal.Op)(nil)
				if i%2 == 0 {
					kind, op = journal.Operation, &journal.Op{Client: 1, Outcome: journal.OK}
				}
				j.Record(journal.Event{At: at(10 + round*10_000 + i), Kind: kind, Node: journal.None, Op: op})
			}
			_, err := feed(0, time.Time{})
			Expect(err).NotTo(HaveOccurred())
		}
		shown, err := feed(0, at(100_000))
		Expect(err).NotTo(HaveOccurred())
		Expect(len(shown.Numbers)).
			To(And(BeNumerically(">=", live.MostOperations), BeNumerically("<", 2*live.MostOthers+2*live.MostOperations)))
		Expect(shown.Total).To(Equal(5 + 3*(live.MostOthers+live.MostOperations)))
		Expect(shown.Begin).To(BeTemporally("==", begin))
		Expect(shown.Nodes).To(HaveLen(3))
		Expect(shown.Nodes[2].Roles).To(ConsistOf(And(HaveField("Is", "leader"), HaveField("To", shown.Length))))
		Expect(shown.Nodes[2].Health).To(ConsistOf(HaveField("Is", "online")))
		Expect(shown.Nodes[0].Away).To(ConsistOf(HaveField("Is", "crash")))
		Expect(shown.Faults).To(ConsistOf(HaveField("Name", "disk 1")))
	})
})
