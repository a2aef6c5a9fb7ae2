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
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{f.Kind: {Made: 1, Bit: 1}}))
		Expect(outcome.Tally.OK).To(BeNumerically(">", 30))
		Expect(outcome.Passed).To(BeNumerically("~", time.Minute, 20*time.Second))
	},
		Entry("isolate", patience, chaos.Entry{Fault: fault.Fault{Kind: "isolate"}}),
		Entry("stop", patience, chaos.Entry{Fault: fault.Fault{Kind: "stop", Node: 1}}),
		Entry("crash", patience, chaos.Entry{Fault: fault.Fault{Kind: "crash", Node: 2}}),
		Entry("wipe", patience, chaos.Entry{Fault: fault.Fault{Kind: "wipe"}}),
		Entry("cut one way", patience, chaos.Entry{Fault: fault.Fault{Kind: "cut one way", Links: oneLink(0, 1)}}),
		Entry("cut both ways", patience, chaos.Entry{Fault: fault.Fault{Kind: "cut both ways", Links: bothWays(0, 1)}}),
		Entry("partition", patience, chaos.Entry{Fault: fault.Fault{Kind: "partition", Groups: [][]int{{0}, {1, 2}}}}),
		Entry("isolate the leader", patience, chaos.Entry{Fault: fault.Fault{Kind: "isolate the leader"}}),
		Entry("slow link", patience, chaos.Entry{Fault: fault.Fault{Kind: "slow link", Links: oneLink(0, 1), By: 10 * time.Millisecond}}),
		Entry("lossy link", patience, chaos.Entry{Fault: fault.Fault{Kind: "lossy link", Links: oneLink(0, 1)}}),
		Entry("narrow link", patience, chaos.Entry{Fault: fault.Fault{Kind: "narrow link", Links: oneLink(0, 1)}}),
		Entry("reset link", patience, chaos.Entry{Fault: fault.Fault{Kind: "reset link", Links: oneLink(0, 1)}}),
		Entry("flapping link", patience, chaos.Entry{Fault: fault.Fault{Kind: "flapping link", Links: bothWays(0, 1), By: time.Second}}),
		Entry("slow disk", patience, chaos.Entry{Fault: fault.Fault{Kind: "slow disk", By: 10 * time.Millisecond}}),
		Entry("full disk", patience, chaos.Entry{Fault: fault.Fault{Kind: "full disk"}}),
		Entry("lying disk", patience, chaos.Entry{Fault: fault.Fault{Kind: "lying disk", Node: 1}}),
		Entry("torn disk", patience, chaos.Entry{Fault: fault.Fault{Kind: "torn disk", Node: 1}}),
		Entry("crash all", patience, chaos.Entry{Fault: fault.Fault{Kind: "crash all"}}),
		Entry("add a node", patience, chaos.Entry{Fault: fault.Fault{Kind: "add a node"}}),
		Entry("remove a node", patience, chaos.Entry{Fault: fault.Fault{Kind: "remove a node", Node: 1}}),
	)

	It("finds a sound database sound, for several seeds", func(ctx SpecContext) {
		for seed := range uint64(4) {
			outcome, err := inBubble(ctx, chaos.Draw(seed+1, chaos.Virtual()), chaos.Options{})
			Expect(err).NotTo(HaveOccurred())
			Expect(outcome.Failure).NotTo(HaveOccurred())
			Expect(outcome.Tally.OK).To(BeNumerically(">", 0))
		}
	}, patience)

	It("does not make faults that are in each other's way", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(
			at(time.Second, 20*time.Second, fault.Fault{Kind: "crash", Node: 1}),
			at(2*time.Second, time.Second, fault.Fault{Kind: "stop", Node: 1}),
			at(3*time.Second, time.Second, fault.Fault{Kind: "wipe", Node: 2}),
			at(4*time.Second, time.Second, fault.Fault{Kind: "crash all"}),
			at(5*time.Second, time.Second, fault.Fault{Kind: "pause", Node: 2}),
		), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{
			"crash": {Made: 1, Bit: 1}, "stop": {InTheWay: 1}, "wipe": {InTheWay: 1}, "crash all": {InTheWay: 1}, "pause": {Unsupported: 1},
		}))
	}, patience)

	It("reaches states, and reports them", func(ctx SpecContext) {
		outcome, err := inBubble(ctx, one(
			at(5*time.Second, 20*time.Second, fault.Fault{Kind: "crash", Node: 1}),
			at(5*time.Second, 20*time.Second, fault.Fault{Kind: "slow link", Links: oneLink(0, 2), By: time.Millisecond}),
			at(30*time.Second, 10*time.Second, fault.Fault{Kind: "crash all"}),
		), chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		for _, goal := range []chaos.Goal{"two nodes were lost at once", "all nodes were lost at once",
			"a write was acknowledged with one node lost and one link bad", "a write was acknowledged after a quorum had been lost"} {
			Expect(chaos.Goals()).To(ContainElement(goal))
			Expect(outcome.Reached).To(HaveKey(goal))
		}
		Expect(outcome.Reached).NotTo(HaveKey(chaos.Goal("a node's storage failed")))
	}, patience)

	It("ends when all operations are done", func(ctx SpecContext) {
		s := one()
		s.Most = 4
		outcome, err := inBubble(ctx, s, chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Tally.OK).To(Equal(4))
		Expect(outcome.Passed).To(BeNumerically("<", 30*time.Second))
	}, patience)

	It("crashes a node while it installs a snapshot, if it is sent one", func(ctx SpecContext) {
		installing := at(20*time.Second, 30*time.Second, fault.Fault{Kind: "crash while installing", Node: 1, By: 2 * time.Second})
		for threshold, bit := range map[uint64]int{8: 1, 0: 0} {
			var outcome *chaos.Outcome
			Expect(virtual.Run(ctx, func(ctx context.Context) {
				var err error
				nodes := local.Options{SnapshotThreshold: threshold, SnapshotInterval: time.Second, TrailingLogs: 1}
				outcome, err = chaos.Run(ctx, virtual.New(virtual.Options{Nodes: nodes}), one(installing), chaos.Options{})
				Expect(err).NotTo(HaveOccurred())
			})).To(Succeed())
			Expect(outcome.Failure).NotTo(HaveOccurred())
			Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{installing.Kind: {Made: 1, Bit: bit}}))
			reached := chaos.Goal("a node crashed while it installed a snapshot")
			if bit == 0 {
				Expect(outcome.Reached).NotTo(HaveKey(reached))
			} else {
				Expect(outcome.Reached).To(HaveKey(reached))
			}
		}
	}, patience)

	It("asks the judge, which is given the whole journal", func(ctx SpecContext) {
		judge := func(events []journal.Event) error {
			for _, e := range events {
				if e.Kind == journal.Flag {
					return errors.New("a node was taken offline")
				}
			}
			return nil
		}
		outcome, err := inBubble(ctx, one(at(time.Second, time.Second, fault.Fault{Kind: "isolate"})), chaos.Options{Judge: judge})
		Expect(err).NotTo(HaveOccurred())
		Expect(outcome.Failure).To(Equal(&chaos.Failure{Broken: chaos.Safety, Reason: "a node was taken offline"}))
		Expect(outcome.Events).NotTo(BeEmpty())
	}, patience)

	It("fails if no operation succeeded", func(ctx SpecContext) {
		s := one(at(0, time.Minute, fault.Fault{Kind: "crash all"}))
		s.Length, s.Rate = 2*time.Second, 0.001
		outcome, err := inBubble(ctx, s, chaos.Options{})
		Expect(err).NotTo(HaveOccurred())
		if outcome.Tally.OK == 0 {
			Expect(outcome.Failure).To(HaveOccurred())
		}
	}, patience)

	It("refuses an unknown workload, and an invalid schedule", func(ctx SpecContext) {
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
			s := one(at(20*time.Second, time.Hour, fault.Fault{Kind: "wipe"}), at(0, time.Hour, fault.Fault{Kind: "clock jump", By: time.Hour}))
			_, err := chaos.Run(ctx, t, s, chaos.Options{})
			Expect(err).To(MatchError(stop))
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.ReadDir(dir)).To(BeEmpty())
	}, patience)
})
