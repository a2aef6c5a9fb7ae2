package matchers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("A matcher", func() {
	DescribeTable("refuses what it is not about, whether it was to hold or not",
		func(matcher types.GomegaMatcher, actual any, message string) {
			Expect(refused(actual, matcher)).To(MatchError(message))
		},
		Entry("of a node, a cluster", BeOnline(), (*harness.Cluster)(nil),
			"a matcher to be online takes a *harness.Node, not a *harness.Cluster"),
		Entry("of a node, a number", HaveCaughtUp(), 7, "a matcher to have caught up takes a *harness.Node, not a int"),
		Entry("of a node, nothing", BeOnline(), nil, "a matcher to be online takes a *harness.Node, not a <nil>"),
		Entry("of a node, a nil one", BeOnline(), (*harness.Node)(nil), "a matcher to be online takes a *harness.Node, not nil"),
		Entry("of a cluster, a node", HaveLeader(), (*harness.Node)(nil),
			"a matcher to have a leader takes a *harness.Cluster, not a *harness.Node"),
		Entry("of a cluster, nothing", BeConsistent("q"), nil, "a matcher to be consistent takes a *harness.Cluster, not a <nil>"),
		Entry("of a cluster, a nil one", HaveLeader(), (*harness.Cluster)(nil), "a matcher to have a leader takes a *harness.Cluster, not nil"),
		Entry("of rows, a number", HaveRows(), 7, "HaveRows takes a harness.Result or a []harness.Result, not a int"),
		Entry("of rows, nothing", HaveRows(), nil, "HaveRows takes a harness.Result or a []harness.Result, not a <nil>"),
		Entry("of rows, no result", HaveRows(), []harness.Result{}, "HaveRows was given no result"),
	)

	It("fails for the error beside its actual", func() {
		c, _ := boot()
		Expect(c.Node(1)).To(BeOnline())
		Expect(InterceptGomegaFailures(func() { Expect(c.Node(5)).To(BeOnline()) })).To(
			HaveExactElements(ContainSubstring("node index 5 out of range (0-2)")))
		Expect(InterceptGomegaFailures(func() { Expect(c.Node(5)).NotTo(BeOnline()) })).To(
			HaveExactElements(ContainSubstring("node index 5 out of range (0-2)")))
	})

	It("asks anew whenever it is evaluated", func(ctx SpecContext) {
		c, f := boot()
		var looks atomic.Int64
		shows(f.Node(1), func(s *target.Status) {
			if looks.Add(1) < 5 {
				s.State, s.AppliedIndex = target.Syncing, 0
			}
		})
		Eventually(ctx, node(c, 1)).Should(BeOnline())
		looks.Store(0)
		Eventually(ctx, node(c, 1)).Should(HaveCaughtUp())
		Expect(looks.Load()).To(BeNumerically(">=", 5))
		Consistently(ctx, node(c, 1)).WithTimeout(20 * time.Millisecond).Should(And(BeOnline(), HaveCaughtUp()))

		f.Answers("q", fake.Table("a"))
		f.Node(2).Answers("q", fake.Table("a", fake.Row("x")))
		var asked atomic.Int64
		f.Node(0).OnQuery(func(context.Context, target.Request) error {
			if asked.Add(1) == 3 {
				f.Answers("q", fake.Table("a"))
			}
			return nil
		})
		Eventually(ctx, c).Should(BeConsistent("q"))
		shows(f.Node(0), func(s *target.Status) {
			if looks.Add(1) > 30 {
				s.Leader = "n0"
			} else {
				s.Leader = ""
			}
		})
		shows(f.Node(1), func(s *target.Status) { s.Leader = "" })
		looks.Store(0)
		Eventually(ctx, c).Should(HaveLeader())
	}, patience)
})

var _ = Describe("BeOnline", func() {
	It("needs the flag and the state, and says both", func(ctx SpecContext) {
		c, f := boot()
		Expect(holds(node(c, 1), BeOnline())).To(Equal(
			"Expected node 1 (n1) not to be online, but its flag says online; it reports state online, follower in term 2 with leader n0, " +
				"applied index 1"))
		shows(f.Node(1), func(s *target.Status) { s.State = target.Syncing })
		Expect(holdsNot(node(c, 1), BeOnline())).To(Equal(
			"Expected node 1 (n1) to be online, but its flag says online; it reports state syncing, follower in term 2 with leader n0, " +
				"applied index 1"))
		shows(f.Node(1), func(s *target.Status) { s.State, s.Leader = target.Online, "" })
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(holdsNot(node(c, 1), BeOnline())).To(Equal(
			"Expected node 1 (n1) to be online, but its flag says offline (isolate); it reports state online, follower in term 2 with no " +
				"leader, applied index 1"))
	}, patience)

	It("does not take silence for offline", func() {
		c, f := boot()
		fails(f.Node(1), errors.New("gone"))
		Expect(refused(node(c, 1), BeOnline())).To(MatchError("ask for status on node 1 (n1): gone"))
	})
})

var _ = Describe("The matchers of health", func() {
	DescribeTable("hold for one state and no other", func(state target.State) {
		c, f := boot()
		shows(f.Node(1), func(s *target.Status) { s.State = state })
		for of, matcher := range map[target.State]types.GomegaMatcher{
			target.Connecting: BeConnecting(), target.Syncing: BeSyncing(), target.Online: BeOnline(),
			target.Leaving: BeLeaving(), target.Offline: BeOffline(), target.Failed: BeFailed(),
		} {
			if of == state {
				Expect(holds(node(c, 1), matcher)).To(
					ContainSubstring("not to be " + string(of) + ", but its flag says online; it reports state " + string(of)))
			} else {
				Expect(holdsNot(node(c, 1), matcher)).To(
					ContainSubstring("to be " + string(of) + ", but its flag says online; it reports state " + string(state)))
			}
		}
	},
		Entry(nil, target.Connecting), Entry(nil, target.Syncing), Entry(nil, target.Online),
		Entry(nil, target.Leaving), Entry(nil, target.Offline), Entry(nil, target.Failed),
	)

	It("say how far behind the node is, what it is at, and why", func() {
		c, f := boot()
		shows(f.Node(1), func(s *target.Status) {
			s.State, s.Behind, s.Activities, s.Reason = target.Failed, 17, target.Activities{{Work: target.InstallingSnapshot}}, "no space left"
		})
		Expect(holdsNot(node(c, 1), BeSyncing())).To(Equal("Expected node 1 (n1) to be syncing, but its flag says online; " +
			"it reports state failed (no space left), follower in term 2 with leader n0, applied index 1, 17 behind, installing a snapshot"))
	})

	DescribeTable("know a node that is gone without asking it", func(ctx SpecContext, mode fault.Mode, reason string) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1, mode)).To(Succeed())
		looks := f.Node(1).Probes()
		found := "its flag says offline (" + string(mode) + "); it reports state offline (" + reason + ")"
		Expect(holds(node(c, 1), BeOffline())).To(HaveSuffix(found))
		Expect(holdsNot(node(c, 1), BeOnline())).To(HaveSuffix(found))
		Expect(holdsNot(node(c, 1), HaveCaughtUp())).To(HaveSuffix("but it reports state offline (" + reason + ")"))
		Expect(f.Node(1).Probes()).To(Equal(looks))
	},
		Entry("stopped", patience, fault.Stop, "stopped"),
		Entry("crashed", patience, fault.Crash, "crashed"),
		Entry("paused", patience, fault.Pause, "paused"),
	)

	It("can be polled fast enough to see a short state", func(ctx SpecContext) {
		c, f := boot()
		var looks atomic.Int64
		shows(f.Node(1), func(s *target.Status) {
			if n := looks.Add(1); n > 100 && n < 200 {
				s.State = target.Syncing
			}
		})
		events := c.Journal().Total(journal.Shown, journal.Polls)
		Eventually(ctx, node(c, 1)).WithPolling(100 * time.Microsecond).Should(BeSyncing())
		Eventually(ctx, node(c, 1)).WithPolling(100 * time.Microsecond).Should(BeOnline())
		Expect(c.Journal().Total(journal.Shown, journal.Polls)).To(Equal(events), "polls record nothing else")
		Expect(c.Journal().Events()).To(ContainElement(And(HaveField("Kind", journal.Polls), HaveField("Node", 1),
			HaveField("Poll.Condition", "be syncing"), HaveField("Poll.Count", BeNumerically(">", 10)), HaveField("Poll.Held", true))))
	}, patience)

	It("refuse a node that was removed", func(ctx SpecContext) {
		c, _ := boot()
		n := node(c, 1)
		Expect(c.RemoveNode(ctx, 1)).To(Succeed())
		for _, matcher := range []types.GomegaMatcher{BeOnline(), BeOffline(), HaveCaughtUp()} {
			Expect(refused(n, matcher)).To(MatchError(ContainSubstring("node 1 (n1) was removed from the cluster")))
		}
	}, patience)
})

var _ = Describe("HaveCaughtUp", func() {
	It("needs all that any node knows to be committed", func() {
		c, f := boot()
		shows(f.Node(2), func(s *target.Status) { s.CommitIndex = 42 })
		shows(f.Node(1), func(s *target.Status) { s.AppliedIndex = 17 })
		Expect(holdsNot(node(c, 1), HaveCaughtUp())).To(Equal("Expected node 1 (n1) to have caught up, but it is 25 entries behind: " +
			"node 2 (n2) has commit index 42; it reports state online, follower in term 2 with leader n0, applied index 17"))
		shows(f.Node(1), func(s *target.Status) { s.AppliedIndex = 43 })
		Expect(holds(node(c, 1), HaveCaughtUp())).To(Equal("Expected node 1 (n1) not to have caught up, but it has applied index 43 of 42"))
	})

	It("does not wait for a node that does not answer", func() {
		c, f := boot()
		fails(f.Node(2), errors.New("gone"))
		holds(node(c, 1), HaveCaughtUp())
		Expect(refused(node(c, 2), HaveCaughtUp())).To(MatchError("ask for status on node 2 (n2): gone"))
	})

	It("fails if no node reports a commit index", func() {
		c, f := boot()
		for i := range 3 {
			shows(f.Node(i), func(s *target.Status) { s.CommitIndex = 0 })
		}
		Expect(holdsNot(node(c, 1), HaveCaughtUp())).To(Equal("Expected node 1 (n1) to have caught up, but no node reports a commit index"))
	})
})

var _ = Describe("HaveLeader", func() {
	It("needs a majority that names one node", func(ctx SpecContext) {
		c, _ := boot()
		Expect(holds(c, HaveLeader())).To(Equal("Expected the cluster of 3 nodes not to have a leader, but node 0 leads"))
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		holds(c, HaveLeader())
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 0, fault.Crash)).To(Succeed())
		Expect(holdsNot(c, HaveLeader())).To(Equal("Expected the cluster of 3 nodes to have a leader, but there is no leader: " +
			"node 0 (n0) is called leader by 2 of 3 voters, and is crashed"))
		Expect(c.BringNodeOnline(ctx, 0)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		Expect(holdsNot(c, HaveLeader())).To(Equal(
			"Expected the cluster of 3 nodes to have a leader, but there is no leader: no quorum: 1 of 3 voters online, 2 needed"))
	}, patience)

	It("asks within a bound, and names whom it could not ask", func(ctx SpecContext) {
		c, f := boot()
		f.Node(0).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) {
			deadline, bounded := ctx.Deadline()
			if !bounded {
				return s, errors.New("without a bound")
			}
			return s, errors.New("by " + deadline.Location().String())
		})
		Expect(holds(c, HaveLeader())).To(HaveSuffix("node 0 leads"), "two of three suffice")
		fails(f.Node(1), errors.New("gone"))
		Expect(holdsNot(c, HaveLeader())).To(And(ContainSubstring("on node 0 (n0): by Local"), ContainSubstring("on node 1 (n1): gone")))
	}, patience)
})

var _ = Describe("BeConsistent", func() {
	It("needs the same answer of all online nodes to all queries", func(ctx SpecContext) {
		c, f := boot()
		f.Answers("a", fake.Table("a", fake.Row("x")))
		f.Answers("b", fake.Table("b", fake.Row("x")))
		f.Node(2).Answers("b", fake.Table("b", fake.Row("y")))
		Expect(holds(c, BeConsistent("a"))).To(
			Equal("Expected the cluster of 3 nodes not to be consistent, but the answers of all 3 online nodes are equal"))
		Expect(holdsNot(c, BeConsistent("a", "b"))).To(
			Equal(`Expected the cluster of 3 nodes to be consistent, but node 0 (n0) and node 2 (n2) differ on "b", ` +
				`column b: node 0 (n0) has 'x', node 2 (n2) has 'y': the rows are ('x') and ('y'); ` +
				`rows only on node 0 (n0): 1, only on node 2 (n2): 1`))
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		Expect(holds(c, BeConsistent("a", "b"))).To(HaveSuffix("the answers of all 2 online nodes are equal"))
	}, patience)

	It("waits for a node that is behind, unless the cluster is taken as it is", func(ctx SpecContext) {
		c, f := boot()
		f.Answers("a", fake.Table("a", fake.Row("x")))
		f.Node(2).Answers("a", fake.Table("a"))
		var looks atomic.Int64
		shows(f.Node(2), func(s *target.Status) {
			if looks.Add(1) < 5 {
				s.AppliedIndex = 0
				return
			}
			f.Node(2).Answers("a", fake.Table("a", fake.Row("x")))
		})
		Expect(holdsNot(c.AsIs(), BeConsistent("a"))).To(ContainSubstring("('x') is missing from node 2 (n2)"))
		Expect(looks.Load()).To(BeZero())
		holds(c, BeConsistent("a"))
	}, patience)

	It("is refused while a node has failed, which is neither", func() {
		c, f := boot()
		f.Answers("a", fake.Table("a"))
		shows(f.Node(2), func(s *target.Status) { s.State = target.Failed })
		matched, err := BeConsistent("a").Match(c)
		Expect(matched).To(BeFalse())
		Expect(err).To(MatchError(harness.ErrFailed))
	})

	It("is refused without a query, without a node, and without an answer", func(ctx SpecContext) {
		c, f := boot()
		f.Answers("a", fake.Table("a"))
		Expect(refused(c, BeConsistent())).To(MatchError("BeConsistent needs at least one query"))
		f.Node(1).Answers("a", fake.Table("a").Breaking(errors.New("cut off")))
		Expect(refused(c, BeConsistent("a"))).To(MatchError("compare on node 1 (n1): cut off"))
		for i := range 3 {
			Expect(c.TakeNodeOffline(ctx, i)).To(Succeed())
		}
		Expect(refused(c, BeConsistent("a"))).To(MatchError(harness.ErrNoNodesOnline))
	}, patience)
})
