package chaos_test

import (
	"context"
	"errors"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/local"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// one is a schedule of a minute with these faults.
func one(faults ...chaos.Fault) chaos.Schedule {
	return chaos.Schedule{
		Seed: 5, Nodes: 3, Pace: time.Second, Workloads: []string{workload.Workloads("chaos")[0].Name()}, Clients: 2, Rate: 2,
		Length: time.Minute, Faults: faults,
	}
}

var _ = Describe("Running a schedule", func() {
	BeforeEach(nothingIsLeft)

	DescribeTable("makes a fault that bites, and finds a sound database sound", func(ctx SpecContext, f chaos.Fault) {
		f.At, f.Lasts = 5*time.Second, 30*time.Second
		outcome, err := inBubble(ctx, one(f), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(Equal(map[chaos.Kind]chaos.Count{f.Kind: {Made: 1, Bit: 1}}))
		Expect(outcome.Tally.OK).To(BeNumerically(">", 30))
		Expect(outcome.Passed).To(BeNumerically("~", time.Minute, 20*time.Second))
	},
		Entry("isolate", patience, chaos.Fault{Kind: chaos.Isolate}),
		Entry("stop", patience, chaos.Fault{Kind: chaos.Stop, Node: 1}),
		Entry("crash", patience, chaos.Fault{Kind: chaos.Crash, Node: 2}),
		Entry("wipe", patience, chaos.Fault{Kind: chaos.Wipe}),
		Entry("cut one way", patience, chaos.Fault{Kind: chaos.CutOneWay, Node: 0, Other: 1}),
		Entry("cut both ways", patience, chaos.Fault{Kind: chaos.CutBothWays, Node: 0, Other: 1}),
		Entry("partition", patience, chaos.Fault{Kind: chaos.Partition}),
		Entry("isolate the leader", patience, chaos.Fault{Kind: chaos.IsolateLeader}),
		Entry("slow link", patience, chaos.Fault{Kind: chaos.SlowLink, Node: 0, Other: 1, By: 10 * time.Millisecond}),
		Entry("lossy link", patience, chaos.Fault{Kind: chaos.LossyLink, Node: 0, Other: 1}),
		Entry("narrow link", patience, chaos.Fault{Kind: chaos.NarrowLink, Node: 0, Other: 1}),
		Entry("reset link", patience, chaos.Fault{Kind: chaos.ResetLink, Node: 0, Other: 1}),
		Entry("flapping link", patience, chaos.Fault{Kind: chaos.FlappingLink, Node: 0, Other: 1, By: time.Second}),
		Entry("slow disk", patience, chaos.Fault{Kind: chaos.SlowDisk, By: 10 * time.Millisecond}),
		Entry("full disk", patience, chaos.Fault{Kind: chaos.FullDisk}),
		Entry("lying disk", patience, chaos.Fault{Kind: chaos.LyingDisk, Node: 1}),
		Entry("torn disk", patience, chaos.Fault{Kind: chaos.TornDisk, Node: 1}),
		Entry("crash all", patience, chaos.Fault{Kind: chaos.CrashAll}),
		Entry("add a node", patience, chaos.Fault{Kind: chaos.AddNode}),
		Entry("remove a node", patience, chaos.Fault{Kind: chaos.RemoveNode, Node: 1}),
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
			chaos.Fault{At: time.Second, Lasts: 20 * time.Second, Kind: chaos.Crash, Node: 1},
			chaos.Fault{At: 2 * time.Second, Lasts: time.Second, Kind: chaos.Stop, Node: 1},
			chaos.Fault{At: 3 * time.Second, Lasts: time.Second, Kind: chaos.Wipe, Node: 2},
			chaos.Fault{At: 4 * time.Second, Lasts: time.Second, Kind: chaos.CrashAll},
			chaos.Fault{At: 5 * time.Second, Lasts: time.Second, Kind: chaos.Pause, Node: 2},
		), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(Equal(map[chaos.Kind]chaos.Count{
			chaos.Crash: {Made: 1, Bit: 1}, chaos.Stop: {InTheWay: 1}, chaos.Wipe: {InTheWay: 1}, chaos.CrashAll: {InTheWay: 1}, chaos.Pause: {Unsupported: 1},
		}))
	}, patience)

	It("reaches states, and says which", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(
			chaos.Fault{At: 5 * time.Second, Lasts: 20 * time.Second, Kind: chaos.Crash, Node: 1},
			chaos.Fault{At: 5 * time.Second, Lasts: 20 * time.Second, Kind: chaos.SlowLink, Node: 0, Other: 2, By: time.Millisecond},
			chaos.Fault{At: 30 * time.Second, Lasts: 10 * time.Second, Kind: chaos.CrashAll},
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
		installing := chaos.Fault{At: 20 * time.Second, Lasts: 30 * time.Second, Kind: chaos.CrashInstalling, Node: 1, By: 2 * time.Second}
		for threshold, bit := range map[uint64]int{8: 1, 0: 0} {
			var outcome *chaos.Outcome
			Expect(virtual.Run(ctx, func(ctx context.Context) {
				var err error
				nodes := local.Options{SnapshotThreshold: threshold, SnapshotInterval: time.Second, TrailingLogs: 1}
				outcome, err = chaos.Run(ctx, virtual.New(virtual.Options{Nodes: nodes}), one(installing), chaos.Options{})
				Expect(err).NotTo(HaveOccurred())
			})).To(Succeed())
			Expect(outcome.Failure).To(BeNil())
			Expect(outcome.Faults).To(Equal(map[chaos.Kind]chaos.Count{installing.Kind: {Made: 1, Bit: bit}}))
			reached := chaos.Goal("a node crashed while it installed a snapshot")
			if bit == 0 {
				Expect(outcome.Reached).NotTo(HaveKey(reached))
			} else {
				Expect(outcome.Reached).To(HaveKey(reached))
			}
		}
	}, patience)

	It("asks the judge, who sees all", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(chaos.Fault{Kind: chaos.Isolate, At: time.Second, Lasts: time.Second}), chaos.Options{Judge: func(events []journal.Event) error {
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
		s := one(chaos.Fault{Kind: chaos.CrashAll, Lasts: time.Minute})
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
		Expect(err).To(MatchError(ContainSubstring("nobody who does anything")))
	}, patience)

	It("ends when it is interrupted, and leaves nothing", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		stop := errors.New("enough")
		err := virtual.Run(ctx, func(ctx context.Context) {
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(30*time.Second, func() { cancel(stop) })
			defer timer.Stop()
			t := virtual.New(virtual.Options{Nodes: local.Options{Dir: dir}})
			_, err := chaos.Run(ctx, t, one(chaos.Fault{Kind: chaos.Wipe, At: 20 * time.Second, Lasts: time.Hour}, chaos.Fault{Kind: chaos.ClockJump, By: time.Hour, Lasts: time.Hour}), chaos.Options{})
			Expect(err).To(MatchError(stop))
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.ReadDir(dir)).To(BeEmpty())
	}, patience)
})
