package harness_test

import (
	"context"
	"errors"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

// shows changes the status that a node shows.
func shows(n *fake.Node, change func(*target.Status)) {
	n.OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
		change(&s)
		return s, nil
	})
}

var _ = Describe("WaitForNodeOnline", func() {
	var (
		c       *harness.Cluster
		f       *fake.Cluster
		state   atomic.Value
		applied atomic.Uint64
		commit  atomic.Uint64
	)

	BeforeEach(func() {
		c, f = boot()
		state.Store(target.Online)
		applied.Store(42)
		commit.Store(42)
		shows(f.Node(0), func(s *target.Status) { s.CommitIndex = commit.Load() })
		shows(f.Node(1), func(s *target.Status) {
			s.State, s.AppliedIndex, s.CommitIndex = state.Load().(target.State), applied.Load(), 1
		})
	})

	// staysUntil waits until ctx ends, and expects that the node does not come online.
	staysUntil := func(ctx context.Context) *harness.WaitError {
		GinkgoHelper()
		err := c.WaitForNodeOnline(ctx, 1)
		var wait *harness.WaitError
		Expect(errors.As(err, &wait)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(context.DeadlineExceeded))
		return wait
	}
	stays := func(ctx context.Context) *harness.WaitError {
		GinkgoHelper()
		return staysUntil(shortly(ctx))
	}

	It("returns at once for a node that has caught up, even if ctx has ended", func(ctx SpecContext) {
		ended, cancel := context.WithCancel(ctx)
		cancel()
		Expect(c.WaitForNodeOnline(ended, 1)).To(Succeed())
	}, patience)

	It("needs the flag", func(ctx SpecContext) {
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(stays(ctx)).To(MatchError("wait for node 1 (n1) to be online: its flag says offline, and it was not brought back; " +
			"it was last seen online, applied index 42 of 42, no leader: context deadline exceeded"))

		done := make(chan error, 1)
		go func() { done <- c.WaitForNodeOnline(ctx, 1) }()
		Consistently(done, soon).ShouldNot(Receive())
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		Eventually(ctx, done).Should(Receive(BeNil()))
	}, patience)

	It("needs the state", func(ctx SpecContext) {
		for _, other := range []target.State{target.Connecting, target.Syncing, target.Leaving, target.Offline, ""} {
			state.Store(other)
			Expect(stays(ctx).Last.State).To(Equal(other))
		}
	}, patience)

	It("ends at once for a node that has failed, and says why", func(ctx SpecContext) {
		shows(f.Node(1), func(s *target.Status) { s.State, s.Reason = target.Failed, "no space left on raft.db" })
		err := c.WaitForNodeOnline(ctx, 1)
		Expect(err).To(MatchError(harness.ErrFailed))
		Expect(err).To(MatchError(ContainSubstring("it was last seen failed (no space left on raft.db), 41 entries behind")))
	}, patience)

	It("says what all probes saw", func(ctx SpecContext) {
		commit.Store(500)
		var probes atomic.Uint64
		f.Node(1).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
			switch n := probes.Add(1); {
			case n == 1: // asked for what is committed
			case n == 2:
				s.State, s.AppliedIndex = target.Connecting, 100
			case n < 6:
				s.State, s.AppliedIndex, s.Activities = target.Syncing, 100*(n-2), target.Activities{{Work: target.InstallingSnapshot}}
			default:
				return s, errors.New("gone")
			}
			return s, nil
		})
		wait := staysUntil(endingWhen(ctx, func() bool { return probes.Load() > 6 }))
		Expect(wait).To(MatchError("wait for node 1 (n1) to be online: it was last seen syncing, 200 entries behind, " +
			"applied index 300 of 500, leader n0, installing a snapshot, and then could not be asked: ask for status on node 1 (n1): gone; " +
			"history: connecting once, 400 behind, then syncing 3 times, 400 to 200 behind: context deadline exceeded"))
	}, patience)

	It("is not delayed by another node that does not answer", func(ctx SpecContext) {
		f.Node(2).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) { <-ctx.Done(); return s, ctx.Err() })
		Expect(c.WaitForNodeOnline(ctx, 1)).To(Succeed())
		Expect(c.Leader(ctx)).To(Equal(0))
	}, patience)

	It("needs what any node knew to be committed", func(ctx SpecContext) {
		applied.Store(17)
		wait := stays(ctx)
		Expect(wait).To(MatchError("wait for node 1 (n1) to be online: it was last seen online, " +
			"25 entries behind, applied index 17 of 42, leader n0: context deadline exceeded"))
		Expect(wait.Behind()).To(Equal(uint64(25)))
		Expect(wait.Target).To(Equal(uint64(42)))
		applied.Store(41)
		wait = stays(ctx)
		Expect(wait.Behind()).To(Equal(uint64(1)))
		Expect(wait).To(MatchError(ContainSubstring("it was last seen online, 1 entry behind, applied index 41 of 42")))
		applied.Store(42)
		Expect(c.WaitForNodeOnline(ctx, 1)).To(Succeed())
		applied.Store(43)
		Expect(c.WaitForNodeOnline(ctx, 1)).To(Succeed(), "a node may be ahead")
	}, patience)

	It("is not prolonged by what is committed later", func(ctx SpecContext) {
		applied.Store(17)
		var probes atomic.Int64
		shows(f.Node(1), func(s *target.Status) {
			if probes.Add(1) > 1 { // after the probe of all nodes
				commit.Add(1000)
			}
			s.State, s.AppliedIndex, s.CommitIndex = target.Online, applied.Load(), 1
		})
		commit.Store(42)
		done := make(chan error, 1)
		go func() { done <- c.WaitForNodeOnline(ctx, 1) }()
		Eventually(ctx, probes.Load).Should(BeNumerically(">", 3))
		Expect(done).NotTo(Receive())
		applied.Store(42)
		Eventually(ctx, done).Should(Receive(BeNil()))
	}, patience)

	It("says what ended it", func(ctx SpecContext) {
		state.Store(target.Syncing)
		why := errors.New("the spec was stopped")
		ended, cancel := context.WithCancelCause(ctx)
		cancel(why)
		Expect(c.WaitForNodeOnline(ended, 1)).To(MatchError(why))
	}, patience)

	When("nodes cannot be asked", func() {
		It("names why", func(ctx SpecContext) {
			why := errors.New("no answer")
			f.Node(1).OnStatus(func(context.Context, target.Status) (target.Status, error) { return target.Status{}, why })
			wait := stays(ctx)
			Expect(wait).To(MatchError("wait for node 1 (n1) to be online: " +
				"it could not be asked: ask for status on node 1 (n1): no answer: context deadline exceeded"))
			Expect(wait.ProbeErr).To(MatchError(why))
			Expect(wait.Behind()).To(Equal(uint64(42)))
		}, patience)

		It("waits until it can be asked", func(ctx SpecContext) {
			var asked atomic.Int64
			f.Node(1).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
				if asked.Add(1) < 5 {
					return s, errors.New("not yet")
				}
				s.AppliedIndex = 42
				return s, nil
			})
			Expect(c.WaitForNodeOnline(ctx, 1)).To(Succeed())
			Expect(asked.Load()).To(BeEquivalentTo(5))
		}, patience)

		It("waits until a node can tell what is committed", func(ctx SpecContext) {
			var asked atomic.Int64
			for i := range 3 {
				f.Node(i).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
					if asked.Add(1) <= 3 { // the first round
						return s, errors.New("not yet")
					}
					s.CommitIndex, s.AppliedIndex = 42, 17
					return s, nil
				})
			}
			Expect(staysUntil(endingWhen(ctx, func() bool { return asked.Load() > 6 })).Behind()).To(Equal(uint64(25)))
		}, patience)

		It("says what was seen before ctx ended the last probe", func(ctx SpecContext) {
			var asked atomic.Int64
			f.Node(1).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) {
				if asked.Add(1) < 4 {
					s.AppliedIndex = 17
					return s, nil
				}
				<-ctx.Done()
				return target.Status{}, ctx.Err()
			})
			wait := staysUntil(endingWhen(ctx, func() bool { return asked.Load() >= 4 }))
			Expect(wait.ProbeErr).NotTo(HaveOccurred())
			Expect(wait.Behind()).To(Equal(uint64(25)))
		}, patience)

		It("says both what was seen and why the last probe failed", func(ctx SpecContext) {
			var asked atomic.Int64
			f.Node(1).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
				if asked.Add(1) < 4 {
					s.AppliedIndex = 17
					return s, nil
				}
				return target.Status{}, errors.New("gone")
			})
			Expect(staysUntil(endingWhen(ctx, func() bool { return asked.Load() > 4 }))).To(MatchError(ContainSubstring(
				"25 entries behind, applied index 17 of 42, leader n0, and then could not be asked: ask for status on node 1 (n1): gone")))
		}, patience)

		It("does not need nodes that are gone", func(ctx SpecContext) {
			f.Node(0).OnStatus(func(context.Context, target.Status) (target.Status, error) {
				return target.Status{}, errors.New("gone")
			})
			shows(f.Node(2), func(s *target.Status) { s.CommitIndex = 40 })
			applied.Store(40)
			Expect(c.WaitForNodeOnline(ctx, 1)).To(Succeed())
		}, patience)
	})

	It("for all waits for each, and names every node that did not come online", func(ctx SpecContext) {
		for i := range 3 {
			shows(f.Node(i), func(s *target.Status) {
				if i != 1 {
					s.State = target.Syncing
				}
			})
		}
		err := c.WaitForAllOnline(shortly(ctx))
		Expect(err).To(MatchError(And(ContainSubstring("node 0 (n0)"), Not(ContainSubstring("node 1 (n1)")), ContainSubstring("node 2 (n2)"))))
		for i := range 3 {
			f.Node(i).OnStatus(nil)
		}
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	}, patience)
})
