package chaos_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

var errBroken = errors.New("the adapter is broken")

// The broken clusters say that they can do something, and fail to do it.
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

func withMembers(c target.Cluster) target.Cluster {
	members, _ := target.As[target.Membership](c)
	return brokenMembers{c, members}
}

// runOn runs the schedule on clusters in virtual time, decorated.
func runOn(ctx context.Context, s chaos.Schedule, decorate func(target.Cluster) target.Cluster) *chaos.Outcome {
	GinkgoHelper()
	var outcome *chaos.Outcome
	var err error
	t := target.Decorate(virtual.New(virtual.Options{}), func(c target.Cluster) (target.Cluster, error) { return decorate(c), nil })
	Expect(virtual.Run(ctx, func(ctx context.Context) { outcome, err = chaos.Run(ctx, t, s, chaos.Options{}) })).To(Succeed())
	Expect(err).NotTo(HaveOccurred())
	return outcome
}

var _ = Describe("A fault that is not made", func() {
	slow := chaos.Fault{Kind: chaos.SlowDisk, Node: 1, At: 2 * time.Second, Lasts: 20 * time.Second, By: time.Millisecond}

	DescribeTable("fails the run if the target fails to make it", func(ctx SpecContext, decorate func(target.Cluster) target.Cluster, f chaos.Fault) {
		f.At, f.Lasts = 2*time.Second, 20*time.Second
		outcome := runOn(ctx, one(f), decorate)
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Unmade))
		Expect(outcome.Failure.Reason).To(And(HavePrefix("make 2s for 20s: "+string(f.Kind)), ContainSubstring(errBroken.Error())))
		Expect(outcome.Faults[f.Kind].Made).To(BeZero())
	},
		Entry("a slow disk", patience, func(c target.Cluster) target.Cluster { return brokenDisks{c} }, slow),
		Entry("a torn disk", patience, func(c target.Cluster) target.Cluster { return brokenDisks{c} }, chaos.Fault{Kind: chaos.TornDisk, Node: 2}),
		Entry("a clock", patience, func(c target.Cluster) target.Cluster { return brokenClocks{c, new(int), 1} }, chaos.Fault{Kind: chaos.ClockAhead, By: time.Minute}),
		Entry("a new member, though the cluster is sound", patience, withMembers, chaos.Fault{Kind: chaos.AddNode}),
	)

	DescribeTable("fails the run if only a later part of it fails", func(ctx SpecContext, call int) {
		outcome := runOn(ctx, one(chaos.Fault{Kind: chaos.ClockJump, Lasts: 20 * time.Second, By: time.Minute}), func(c target.Cluster) target.Cluster { return brokenClocks{c, new(int), call} })
		Expect(outcome.Failure).To(HaveField("Reason", And(HavePrefix("undo 0s for 20s: clock jump"), ContainSubstring(errBroken.Error()))))
	},
		Entry("the jump", patience, 2),
		Entry("the end", patience, 3),
	)

	It("fails the run if the slow disk of a crash during a snapshot cannot be set", func(ctx SpecContext) {
		outcome := runOn(ctx, one(chaos.Fault{Kind: chaos.CrashInstalling, Lasts: 20 * time.Second, By: time.Second}), func(c target.Cluster) target.Cluster { return brokenDisks{c} })
		Expect(outcome.Failure).To(HaveField("Reason", ContainSubstring(errBroken.Error())))
	}, patience)

	It("is counted if the target lacks the ability", func(ctx SpecContext) {
		kinds := []chaos.Kind{chaos.Stop, chaos.Crash, chaos.CutOneWay, chaos.SlowDisk, chaos.Wipe, chaos.CrashInstalling, chaos.ClockAhead, chaos.AddNode, chaos.CrashAll, chaos.Pause}
		var faults []chaos.Fault
		want := make(map[chaos.Kind]chaos.Count)
		for i, kind := range kinds {
			faults = append(faults, chaos.Fault{Kind: kind, At: time.Duration(i) * time.Second, Lasts: time.Second, Other: 1, By: time.Second})
			want[kind] = chaos.Count{Unsupported: 1}
		}
		outcome := runOn(ctx, one(faults...), func(c target.Cluster) target.Cluster { return plain{c} })
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(Equal(want))
		s := chaos.NewSummary(time.Now())
		s.Add(outcome)
		Expect(s.Report()).To(ContainSubstring("never made: crash, 1 drawn (the target cannot: 1)\n"))
	}, patience)

	It("is counted if other faults have taken the leader or the quorum that it needs", func(ctx SpecContext) {
		s := one(
			chaos.Fault{Kind: chaos.CrashAll, At: time.Second, Lasts: 30 * time.Second},
			chaos.Fault{Kind: chaos.IsolateLeader, At: 5 * time.Second, Lasts: time.Second},
		)
		outcome := runOn(ctx, s, func(c target.Cluster) target.Cluster { return c })
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(HaveKeyWithValue(chaos.IsolateLeader, chaos.Count{NoQuorum: 1}))

		s.Faults[1].Kind = chaos.AddNode
		outcome = runOn(ctx, s, withMembers)
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(HaveKeyWithValue(chaos.AddNode, chaos.Count{NoQuorum: 1}))
	}, patience)

	It("fails the run in trouble, too, if there is a leader, and its links cannot be cut", func(ctx SpecContext) {
		outcome := runOn(ctx, one(
			chaos.Fault{Kind: chaos.SlowDisk, Node: 1, At: time.Second, Lasts: 20 * time.Second, By: time.Millisecond},
			chaos.Fault{Kind: chaos.IsolateLeader, At: 5 * time.Second, Lasts: time.Second},
		), func(c target.Cluster) target.Cluster {
			links, _ := target.As[target.LinkFaulter](c)
			return brokenLinks{c, links}
		})
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Unmade))
	}, patience)

	It("fails the run in a trouble that takes no quorum", func(ctx SpecContext) {
		outcome := runOn(ctx, one(
			chaos.Fault{Kind: chaos.ClockAhead, Node: 1, At: time.Second, Lasts: 20 * time.Second, By: time.Minute},
			chaos.Fault{Kind: chaos.AddNode, At: 5 * time.Second, Lasts: time.Second},
		), withMembers)
		Expect(outcome.Failure).To(HaveField("Broken", chaos.Unmade))
	}, patience)

	It("is counted if its node is removed, or if the schedule ends before its time", func(ctx SpecContext) {
		s := one(
			chaos.Fault{Kind: chaos.RemoveNode, Node: 2, At: time.Second, Lasts: 30 * time.Second},
			chaos.Fault{Kind: chaos.SlowLink, Node: 0, Other: 2, At: 10 * time.Second, Lasts: time.Second, By: time.Millisecond},
			chaos.Fault{Kind: chaos.ClockAhead, Node: 2, At: 10 * time.Second, Lasts: time.Second, By: time.Minute},
			chaos.Fault{Kind: chaos.Crash, Node: 0, At: time.Minute, Lasts: time.Second},
		)
		outcome := runOn(ctx, s, func(c target.Cluster) target.Cluster { return c })
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(Equal(map[chaos.Kind]chaos.Count{
			chaos.RemoveNode: {Made: 1, Bit: 1}, chaos.SlowLink: {InTheWay: 1}, chaos.ClockAhead: {InTheWay: 1}, chaos.Crash: {NotDue: 1},
		}))
	}, patience)

	It("does not count as one that bit, if its link cannot be asked", func(ctx SpecContext) {
		outcome := runOn(ctx, one(chaos.Fault{Kind: chaos.SlowLink, Other: 1, Lasts: 10 * time.Second, By: time.Millisecond}), func(c target.Cluster) target.Cluster {
			links, _ := target.As[target.LinkFaulter](c)
			return brokenStats{c, links}
		})
		Expect(outcome.Failure).To(BeNil())
		Expect(outcome.Faults).To(HaveKeyWithValue(chaos.SlowLink, chaos.Count{Made: 1, Unseen: 1}))
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
