package chaos_test

import (
	"context"
	"errors"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// one is a schedule of a minute with these faults.
func one(faults ...chaos.Entry) chaos.Schedule {
	return chaos.Schedule{
		Seed: 5, Nodes: 3, Pace: time.Second, Workloads: []string{workload.Workloads("chaos")[0].Name()}, Clients: 2, Rate: 2,
		Length: time.Minute, Faults: faults,
	}
}

var _ = Describe("Running a schedule", func() {
	BeforeEach(nothingIsLeft)

	DescribeTable("makes a fault that bites, and finds a sound database sound", func(ctx SpecContext, f chaos.Entry) {
		f.At, f.Lasts = 5*time.Second, 30*time.Second
		outcome, err := inBubble(ctx, one(f), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{f.Kind: {Made: 1, Bit: 1}}))
		Expect(outcome.Tally.OK).To(BeNumerically(">", 30))
		Expect(outcome.Passed).To(BeNumerically("~", time.Minute, 20*time.Second))
	},
		Entry("isolate", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.Isolate.Name}}),
		Entry("stop", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.Stop.Name, Node: 1}}),
		Entry("crash", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.Crash.Name, Node: 2}}),
		Entry("wipe", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.Wipe.Name}}),
		Entry("cut one way", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.CutOneWay.Name, Links: oneLink(0, 1)}}),
		Entry("cut both ways", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.CutBothWays.Name, Links: bothWays(0, 1)}}),
		Entry("partition", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.Partition.Name}}),
		Entry("isolate the leader", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.IsolateLeader.Name}}),
		Entry("slow link", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.SlowLink.Name, Links: oneLink(0, 1), By: 10 * time.Millisecond}}),
		Entry("lossy link", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.LossyLink.Name, Links: oneLink(0, 1)}}),
		Entry("narrow link", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.NarrowLink.Name, Links: oneLink(0, 1)}}),
		Entry("reset link", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.ResetLink.Name, Links: oneLink(0, 1)}}),
		Entry("flapping link", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.FlappingLink.Name, Links: bothWays(0, 1), By: time.Second}}),
		Entry("slow disk", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.SlowDisk.Name, By: 10 * time.Millisecond}}),
		Entry("full disk", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.FullDisk.Name}}),
		Entry("lying disk", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.LyingDisk.Name, Node: 1}}),
		Entry("torn disk", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.TornDisk.Name, Node: 1}}),
		Entry("crash all", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.CrashAll.Name}}),
		Entry("add a node", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.AddNode.Name}}),
		Entry("remove a node", patience, chaos.Entry{Fault: fault.Fault{Kind: nemesis.RemoveNode.Name, Node: 1}}),
	)

	It("finds a sound database sound, whatever is drawn", func(ctx SpecContext) {
		for seed := range uint64(4) {
			outcome, err := inBubble(ctx, chaos.Draw(seed+1, chaos.Virtual()), chaos.Options{})
			Expect(err).NotTo(HaveOccurred())
			Expect(outcome.Failure).To(BeNil())
			Expect(outcome.Tally.OK).To(BeNumerically(">", 0))
		}
	}, patience)

	It("does not make what is in the way of another", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(
			chaos.Entry{At: time.Second, Lasts: 20 * time.Second, Fault: fault.Fault{Kind: nemesis.Crash.Name, Node: 1}},
			chaos.Entry{At: 2 * time.Second, Lasts: time.Second, Fault: fault.Fault{Kind: nemesis.Stop.Name, Node: 1}},
			chaos.Entry{At: 3 * time.Second, Lasts: time.Second, Fault: fault.Fault{Kind: nemesis.Wipe.Name, Node: 2}},
			chaos.Entry{At: 4 * time.Second, Lasts: time.Second, Fault: fault.Fault{Kind: nemesis.CrashAll.Name}},
			chaos.Entry{At: 5 * time.Second, Lasts: time.Second, Fault: fault.Fault{Kind: nemesis.Pause.Name, Node: 2}},
		), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{
			nemesis.Crash.Name: {Made: 1, Bit: 1}, nemesis.Stop.Name: {InTheWay: 1}, nemesis.Wipe.Name: {InTheWay: 1}, nemesis.CrashAll.Name: {InTheWay: 1}, nemesis.Pause.Name: {Unsupported: 1},
		}))
	}, patience)

	It("reaches states, and says which", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(
			chaos.Entry{At: 5 * time.Second, Lasts: 20 * time.Second, Fault: fault.Fault{Kind: nemesis.Crash.Name, Node: 1}},
			chaos.Entry{At: 5 * time.Second, Lasts: 20 * time.Second, Fault: fault.Fault{Kind: nemesis.SlowLink.Name, Links: oneLink(0, 2), By: time.Millisecond}},
			chaos.Entry{At: 30 * time.Second, Lasts: 10 * time.Second, Fault: fault.Fault{Kind: nemesis.CrashAll.Name}},
		), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		for _, goal := range []chaos.Goal{"two nodes were lost at once", "all nodes were lost at once",
			"a write was acknowledged with one node lost and one link bad", "a write was acknowledged after a quorum had been lost"} {
			Expect(chaos.Goals()).To(ContainElement(goal))
			Expect(outcome.Reached).To(HaveKey(goal))
		}
		Expect(outcome.Reached).NotTo(HaveKey(chaos.Goal("a node's storage failed")))
	}, patience)

	It("is over when all is done that was to be done", func(ctx SpecContext) {
		s := one()
		s.Most = 4
		outcome, err := inBubble(ctx, s, chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Tally.OK).To(Equal(4))
		Expect(outcome.Passed).To(BeNumerically("<", 30*time.Second))
	}, patience)

	It("crashes a node at the snapshot that it is sent, if it is sent one", func(ctx SpecContext) {
		installing := chaos.Entry{At: 20 * time.Second, Lasts: 30 * time.Second, Fault: fault.Fault{Kind: nemesis.CrashInstalling.Name, Node: 1, By: 2 * time.Second}}
		for threshold, bit := range map[uint64]int{8: 1, 0: 0} {
			var outcome *chaos.Outcome
			Expect(virtual.Run(ctx, func(ctx context.Context) {
				var err error
				nodes := local.Options{SnapshotThreshold: threshold, SnapshotInterval: time.Second, TrailingLogs: 1}
				outcome, err = chaos.Run(ctx, virtual.New(virtual.Options{Nodes: nodes}), one(installing), chaos.Options{})
				Expect(err).NotTo(HaveOccurred())
			})).To(Succeed())
			Expect(outcome.Failure).To(BeNil())
			Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{installing.Kind: {Made: 1, Bit: bit}}))
			reached := chaos.Goal("a node crashed while it installed a snapshot")
			if bit == 0 {
				Expect(outcome.Reached).NotTo(HaveKey(reached))
			} else {
				Expect(outcome.Reached).To(HaveKey(reached))
			}
		}
	}, patience)

	It("asks the judge, who sees all", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(chaos.Entry{At: time.Second, Lasts: time.Second, Fault: fault.Fault{Kind: nemesis.Isolate.Name}}), chaos.Options{Judge: func(events []journal.Event) error {
			for _, e := range events {
				if e.Kind == journal.Flag {
					return errors.New("a node was taken offline")
				}
			}
			return nil
		}})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).To(Equal(&chaos.Failure{Broken: chaos.Safety, Reason: "a node was taken offline"}))
		Expect(outcome.Events).NotTo(BeEmpty())
	}, patience)

	It("finds nothing in a run in which nothing was done", func(ctx SpecContext) {
		s := one(chaos.Entry{Lasts: time.Minute, Fault: fault.Fault{Kind: nemesis.CrashAll.Name}})
		s.Length, s.Rate = 2*time.Second, 0.001
		outcome, err := inBubble(ctx, s, chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		if outcome.Tally.OK == 0 {
			Expect(outcome.Failure).NotTo(BeNil())
		}
	}, patience)

	It("refuses what it does not know", func(ctx SpecContext) {
		s := one()
		s.Workloads = []string{"gossip"}
		_, err := inBubble(ctx, s, chaos.Options{})
		Expect(err).To(MatchError(ContainSubstring(`there is no workload "gossip"`)))
		s.Clients = 0
		_, err = inBubble(ctx, s, chaos.Options{})
		Expect(err).To(MatchError(ContainSubstring("no workloads or no clients")))
	}, patience)

	It("ends when it is interrupted, and leaves nothing", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		stop := errors.New("enough")
		err := virtual.Run(ctx, func(ctx context.Context) {
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(30*time.Second, func() { cancel(stop) })
			defer timer.Stop()
			t := virtual.New(virtual.Options{Nodes: local.Options{Dir: dir}})
			_, err := chaos.Run(ctx, t, one(chaos.Entry{At: 20 * time.Second, Lasts: time.Hour, Fault: fault.Fault{Kind: nemesis.Wipe.Name}}, chaos.Entry{Lasts: time.Hour, Fault: fault.Fault{Kind: nemesis.ClockJump.Name, By: time.Hour}}), chaos.Options{})
			Expect(err).To(MatchError(stop))
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.ReadDir(dir)).To(BeEmpty())
	}, patience)
})
