package chaos_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/nemesis"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

var errBroken = errors.New("the adapter is broken")

// The broken clusters have an ability, and fail to use it.
type brokenDisks struct{ target.Cluster }

func (c brokenDisks) Unwrap() target.Cluster { return c.Cluster }

func (c brokenDisks) SetDisk(context.Context, int, fault.Disk) error { return errBroken }

func (c brokenDisks) Damage(context.Context, int, fault.Part) (string, error) { return "", errBroken }

type brokenClocks struct {
	target.Cluster
	calls *int
	from  int // the call that fails
}

func (c brokenClocks) Unwrap() target.Cluster { return c.Cluster }

func (c brokenClocks) SetClock(context.Context, int, time.Duration) error {
	if *c.calls++; *c.calls == c.from {
		return errBroken
	}
	return nil
}

type brokenMembers struct {
	target.Cluster
	target.Membership
}

func (c brokenMembers) Unwrap() target.Cluster { return c.Cluster }

func (c brokenMembers) Add(context.Context, bool) (target.Node, error) { return nil, errBroken }

type brokenStats struct {
	target.Cluster
	target.LinkFaulter
}

func (c brokenStats) Unwrap() target.Cluster { return c.Cluster }

func (c brokenStats) LinkStats(context.Context, int, int) (fault.LinkStats, error) {
	return fault.LinkStats{}, errBroken
}

type brokenLinks struct {
	target.Cluster
	target.LinkFaulter
}

func (c brokenLinks) Unwrap() target.Cluster { return c.Cluster }

func (c brokenLinks) SetLink(context.Context, int, int, fault.Rule) error { return errBroken }

// plain is a cluster that can be isolated and nothing else.
type plain struct{ target.Cluster }

// decorator makes a cluster a broken one.
type decorator func(target.Cluster) target.Cluster

func withDisks(c target.Cluster) target.Cluster { return brokenDisks{c} }

func withClocks(call int) decorator {
	return func(c target.Cluster) target.Cluster { return brokenClocks{c, new(int), call} }
}

func withMembers(c target.Cluster) target.Cluster {
	members, _ := target.As[target.Membership](c)
	return brokenMembers{c, members}
}

// runOn runs the schedule on clusters in virtual time, decorated.
func runOn(ctx context.Context, s chaos.Schedule, decorate decorator) *chaos.Outcome {
	GinkgoHelper()
	var outcome *chaos.Outcome
	var err error
	t := target.Decorate(virtual.New(virtual.Options{}), func(c target.Cluster) (target.Cluster, error) { return decorate(c), nil })
	Expect(virtual.Run(ctx, func(ctx context.Context) { outcome, err = chaos.Run(ctx, t, s, chaos.Options{}) })).To(Succeed())
	Expect(err).NotTo(HaveOccurred())
	return outcome
}

var _ = Describe("A fault that is not made", func() {
	slow := at(2*time.Second, 20*time.Second, fault.Fault{Kind: "slow disk", Node: 1, By: time.Millisecond})

	DescribeTable("fails the run if the target fails to make it", func(ctx SpecContext, decorate decorator, f chaos.Entry) {
		f.At, f.Lasts = 2*time.Second, 20*time.Second
		outcome := runOn(ctx, one(f), decorate)
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Unmade))
		Expect(outcome.Failure.Reason).To(And(HavePrefix("2s for 20s: inject "+string(f.Kind)), ContainSubstring(errBroken.Error())))
		Expect(outcome.Faults[f.Kind].Made).To(BeZero())
	},
		Entry("a slow disk", patience, withDisks, slow),
		Entry("a torn disk", patience, withDisks, chaos.Entry{Fault: fault.Fault{Kind: "torn disk", Node: 2}}),
		Entry("a clock", patience, withClocks(1), chaos.Entry{Fault: fault.Fault{Kind: "clock ahead", By: time.Minute}}),
		Entry("a new member, though the cluster is sound", patience, withMembers, chaos.Entry{Fault: fault.Fault{Kind: "add a node"}}),
	)

	DescribeTable("fails the run if only a later part of it fails", func(ctx SpecContext, call int) {
		outcome := runOn(ctx, one(at(0, 20*time.Second, fault.Fault{Kind: "clock jump", By: time.Minute})), withClocks(call))
		Expect(outcome.Failure).To(HaveField("Reason", And(HavePrefix("0s for 20s: undo clock jump"), ContainSubstring(errBroken.Error()))))
	},
		Entry("the jump", patience, 2),
		Entry("the end", patience, 3),
	)

	It("fails the run if the slow disk of a crash during a snapshot cannot be set", func(ctx SpecContext) {
		outcome := runOn(ctx, one(at(0, 20*time.Second, fault.Fault{Kind: "crash while installing", By: time.Second})), withDisks)
		Expect(outcome.Failure).To(HaveField("Reason", ContainSubstring(errBroken.Error())))
	}, patience)

	It("is counted if the target lacks the ability", func(ctx SpecContext) {
		var faults []chaos.Entry
		want := make(map[fault.Kind]chaos.Count)
		for i, e := range ofAllKinds().Faults {
			k, err := nemesis.Find(e.Kind)
			Expect(err).NotTo(HaveOccurred())
			if len(k.Needs) > 0 && want[e.Kind].Unsupported == 0 {
				e.At = time.Duration(i) * time.Second
				faults = append(faults, e)
				want[e.Kind] = chaos.Count{Unsupported: 1}
			}
		}
		outcome := runOn(ctx, one(faults...), func(c target.Cluster) target.Cluster { return withoutIsolation{plain{c}} })
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(Equal(want))
		s := chaos.NewSummary(time.Now())
		s.Add(outcome)
		Expect(s.Report()).To(ContainSubstring("never made: crash, 1 drawn (unsupported by the target: 1)\n"))
	}, patience)

	It("is counted if other faults have taken the leader or the quorum that it needs", func(ctx SpecContext) {
		s := one(
			at(time.Second, 30*time.Second, fault.Fault{Kind: "crash all"}),
			at(5*time.Second, time.Second, fault.Fault{Kind: "isolate the leader"}),
		)
		outcome := runOn(ctx, s, func(c target.Cluster) target.Cluster { return c })
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(HaveKeyWithValue(fault.Kind("isolate the leader"), chaos.Count{NoQuorum: 1}))

		s.Faults[1].Kind = "add a node"
		outcome = runOn(ctx, s, withMembers)
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(HaveKeyWithValue(fault.Kind("add a node"), chaos.Count{NoQuorum: 1}))
	}, patience)

	It("fails the run during other faults, too, if there is a leader and its links cannot be cut", func(ctx SpecContext) {
		outcome := runOn(ctx, one(
			at(time.Second, 20*time.Second, fault.Fault{Kind: "slow disk", Node: 1, By: time.Millisecond}),
			at(5*time.Second, time.Second, fault.Fault{Kind: "isolate the leader"}),
		), func(c target.Cluster) target.Cluster {
			links, _ := target.As[target.LinkFaulter](c)
			return brokenLinks{c, links}
		})
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Unmade))
	}, patience)

	It("fails the run while another fault takes no quorum", func(ctx SpecContext) {
		outcome := runOn(ctx, one(
			at(time.Second, 20*time.Second, fault.Fault{Kind: "clock ahead", Node: 1, By: time.Minute}),
			at(5*time.Second, time.Second, fault.Fault{Kind: "add a node"}),
		), withMembers)
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Unmade))
	}, patience)

	It("is counted if its node is removed, or if the schedule ends before its time", func(ctx SpecContext) {
		s := one(
			at(time.Second, 30*time.Second, fault.Fault{Kind: "remove a node", Node: 2}),
			at(10*time.Second, time.Second, fault.Fault{Kind: "slow link", Links: oneLink(0, 2), By: time.Millisecond}),
			at(10*time.Second, time.Second, fault.Fault{Kind: "clock ahead", Node: 2, By: time.Minute}),
			at(time.Minute, time.Second, fault.Fault{Kind: "crash", Node: 0}),
		)
		outcome := runOn(ctx, s, func(c target.Cluster) target.Cluster { return c })
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(Equal(map[fault.Kind]chaos.Count{
			"remove a node": {Made: 1, Bit: 1}, "slow link": {InTheWay: 1}, "clock ahead": {InTheWay: 1}, "crash": {NotDue: 1},
		}))
	}, patience)

	It("does not count as one that bit if its link cannot be asked", func(ctx SpecContext) {
		slow := fault.Fault{Kind: "slow link", Links: oneLink(0, 1), By: time.Millisecond}
		outcome := runOn(ctx, one(at(0, 10*time.Second, slow)), func(c target.Cluster) target.Cluster {
			links, _ := target.As[target.LinkFaulter](c)
			return brokenStats{c, links}
		})
		Expect(outcome.Failure).NotTo(HaveOccurred())
		Expect(outcome.Faults).To(HaveKeyWithValue(fault.Kind("slow link"), chaos.Count{Made: 1, Unseen: 1}))
	}, patience)
})

var _ = Describe("Playing a schedule", func() {
	It("needs a cluster of its size, with all nodes online", func(ctx SpecContext) {
		Expect(virtual.Run(ctx, func(ctx context.Context) {
			s := one()
			c, err := chaos.Boot(ctx, virtual.New(virtual.Options{}), s, chaos.Options{})
			Expect(err).NotTo(HaveOccurred())
			defer func() { Expect(c.Close()).To(Succeed()) }()
			s.Nodes = 5
			_, err = chaos.Play(ctx, c, s, chaos.Options{})
			Expect(err).To(MatchError("the schedule is for 5 nodes, and the cluster has 3"))
			Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
			_, err = chaos.Play(ctx, c, one(), chaos.Options{})
			Expect(err).To(MatchError("the schedule cannot be played on this cluster: node 1 is offline"))
		})).To(Succeed())
	}, patience)
})
