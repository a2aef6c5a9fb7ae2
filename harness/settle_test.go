package harness_test

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("VerifyDataConsistency waits", func() {
	var (
		c       *harness.Cluster
		f       *fake.Cluster
		applied atomic.Uint64 // by node 1, of 42
		asked   atomic.Int64  // probes of node 1
	)

	// Node 1 has the data of the others once it has applied index 42.
	BeforeEach(func() {
		c, f = boot()
		applied.Store(41)
		asked.Store(0)
		for i := range 3 {
			shows(f.Node(i), func(s *target.Status) { s.CommitIndex, s.AppliedIndex = 42, 42 })
		}
		shows(f.Node(1), func(s *target.Status) {
			asked.Add(1)
			s.CommitIndex, s.AppliedIndex = applied.Load(), applied.Load()
		})
		for _, query := range []string{bagQuery, orderedQuery} {
			f.Answers(query, fake.Table("id", fake.Row(int64(1))))
			f.Node(1).Answers(query, fake.Table("id"))
		}
	})

	catchUp := func(query string) {
		f.Node(1).Answers(query, fake.Table("id", fake.Row(int64(1))))
		applied.Store(42)
	}

	// waits expects the comparison to end without a result, soon.
	waits := func(ctx context.Context) *harness.WaitError {
		GinkgoHelper()
		err := c.VerifyDataConsistency(shortly(ctx), bagQuery)
		var wait *harness.WaitError
		Expect(errors.As(err, &wait)).To(BeTrue(), "%v", err)
		var difference *harness.InconsistencyError
		Expect(errors.As(err, &difference)).To(BeFalse(), "%v", err)
		return wait
	}

	It("until each online node has applied what any of them knows to be committed", func(ctx SpecContext) {
		for _, query := range []string{bagQuery, orderedQuery} {
			applied.Store(41)
			done := make(chan error, 1)
			probed := asked.Load()
			go func() { done <- c.VerifyDataConsistency(ctx, query) }()
			Eventually(ctx, asked.Load).Should(BeNumerically(">", probed+3))
			Expect(done).NotTo(Receive())
			catchUp(query)
			Eventually(ctx, done).Should(Receive(BeNil()))
		}
	}, patience)

	It("no longer than ctx lasts, and says which node is how far behind, and since when", func(ctx SpecContext) {
		wait := waits(ctx)
		Expect(wait).To(MatchError(context.DeadlineExceeded))
		Expect(wait.Error()).To(MatchRegexp(`^wait for node 1 \(n1\) to apply what is committed before nodes are compared: ` +
			`it was last seen online, 1 entry behind, applied index 41 of 42, leader n0; waited \d.*s: context deadline exceeded$`))
		Expect(wait.Behind()).To(Equal(uint64(1)))
		Expect(wait.Waited).To(BeNumerically(">=", soon/2))
		Expect(f.Node(0).Asked()).To(BeEmpty(), "nothing was to be compared")
	}, patience)

	It("not at all through AsIs", func(ctx SpecContext) {
		Expect(differs(c.AsIs().VerifyDataConsistency(ctx, bagQuery)).B.Node).To(Equal(1))
		Expect(asked.Load()).To(BeZero())
	}, patience)

	It("for no node that is offline, nor for what only such a node knows to be committed", func(ctx SpecContext) {
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(Succeed())
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 0)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(Succeed(), "42 was the knowledge of the others")
	}, patience)

	It("no longer for a node that is taken offline meanwhile", func(ctx SpecContext) {
		done := make(chan error, 1)
		go func() { done <- c.VerifyDataConsistency(ctx, bagQuery) }()
		Eventually(ctx, asked.Load).Should(BeNumerically(">", 3))
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Eventually(ctx, done).Should(Receive(BeNil()))
	}, patience)

	It("not for a node whose storage has failed", func(ctx SpecContext) {
		shows(f.Node(1), func(s *target.Status) { s.State, s.Reason = target.Failed, "no space left" })
		err := c.VerifyDataConsistency(ctx, bagQuery)
		Expect(err).To(MatchError(harness.ErrFailed))
		Expect(err).To(MatchError(ContainSubstring("no space left")))
	}, patience)

	It("until a node can be asked, after some probes", func(ctx SpecContext) {
		applied.Store(42)
		f.Node(1).Answers(bagQuery, fake.Table("id", fake.Row(int64(1))))
		var probes atomic.Int64
		f.Node(1).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
			if probes.Add(1) < 4 {
				return s, errors.New("busy")
			}
			s.AppliedIndex = 42
			return s, nil
		})
		Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(Succeed())
		Expect(probes.Load()).To(BeEquivalentTo(4))
	}, patience)

	It("until a node knows what is committed, if nodes report indexes", func(ctx SpecContext) {
		var probes atomic.Int64
		for i := range 3 {
			shows(f.Node(i), func(s *target.Status) {
				s.CommitIndex, s.AppliedIndex = 0, 0 // as after a crash of all
				if probes.Add(1) > 9 {
					s.CommitIndex, s.AppliedIndex = 42, 42
					f.Answers(bagQuery, fake.Table("id"))
				}
			})
		}
		Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(Succeed())
	}, patience)
})

var _ = Describe("VerifyDataConsistency beside a writer", func() {
	// differing has nodes that differ for as many comparisons, while indexes move or not.
	differing := func(comparisons int64, moving bool) (*harness.Cluster, *fake.Cluster) {
		c, f := boot(harness.Size(2))
		same, other := fake.Table("id", fake.Row(int64(1))), fake.Table("id", fake.Row(int64(2)))
		f.Answers(orderedQuery, same)
		var asked, index atomic.Int64
		index.Store(42)
		f.Node(1).OnQuery(func(context.Context, target.Request) error {
			if moving {
				index.Add(1)
			}
			f.Node(1).Answers(orderedQuery, same)
			if asked.Add(1) < comparisons { // for the next query: the hook comes after its answer was chosen
				f.Node(1).Answers(orderedQuery, other)
			}
			return nil
		})
		f.Node(1).Answers(orderedQuery, other)
		for i := range 2 {
			shows(f.Node(i), func(s *target.Status) { s.CommitIndex, s.AppliedIndex = uint64(index.Load()), uint64(index.Load()) })
		}
		return c, f
	}

	It("compares again when the nodes applied entries meanwhile", func(ctx SpecContext) {
		c, f := differing(5, true)
		Expect(c.VerifyDataConsistency(ctx, orderedQuery)).To(Succeed())
		Expect(f.Node(1).Asked()).To(HaveLen(6))
	}, patience)

	It("reports a difference at once when they did not", func(ctx SpecContext) {
		c, f := differing(5, false)
		differs(c.VerifyDataConsistency(ctx, orderedQuery))
		Expect(f.Node(1).Asked()).To(HaveLen(1))
	}, patience)

	It("reports a difference though another node is ahead, once the nodes are level", func(ctx SpecContext) {
		c, f := differing(1000, false)
		var first, second atomic.Int64 // probes of each node
		shows(f.Node(0), func(s *target.Status) {
			s.CommitIndex, s.AppliedIndex = 42, 42
			if first.Add(1) > 1 { // after the probe that says what is committed
				s.CommitIndex, s.AppliedIndex = 43, 43
			}
		})
		shows(f.Node(1), func(s *target.Status) {
			s.CommitIndex, s.AppliedIndex = 42, 42
			if second.Add(1) > 5 {
				s.AppliedIndex = 43
			}
		})
		differs(c.VerifyDataConsistency(ctx, orderedQuery))
		Expect(len(f.Node(1).Asked())).To(BeNumerically(">", 1))
	}, patience)

	It("compares again when only one node knew the table", func(ctx SpecContext) {
		c, f := differing(0, true)
		f.Node(1).Answers(orderedQuery, fake.Table("id", fake.Row(int64(1))))
		var asked atomic.Int64
		f.Node(0).OnQuery(func(context.Context, target.Request) error {
			if asked.Add(1) < 3 {
				return &target.Error{Node: "n0", Code: "SQL", Message: "no such table: t", Outcome: target.NotApplied}
			}
			return nil
		})
		Expect(c.VerifyDataConsistency(ctx, orderedQuery)).To(Succeed())
		Expect(asked.Load()).To(BeEquivalentTo(3))
	}, patience)

	It("neither agrees nor claims a difference when the writer never pauses", func(ctx SpecContext) {
		c, f := differing(1<<40, true)
		err := c.VerifyDataConsistency(endingWhen(ctx, func() bool { return len(f.Node(1).Asked()) > 2 }), orderedQuery)
		var unsettled *harness.UnsettledError
		Expect(errors.As(err, &unsettled)).To(BeTrue(), "%v", err)
		var difference *harness.InconsistencyError
		Expect(errors.As(err, &difference)).To(BeFalse(), "an unproven difference counts as one")
		differs(unsettled.Last)
		Expect(unsettled.Comparisons).To(BeNumerically(">", 1))
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).To(MatchError(And(HavePrefix(`compare "SELECT * FROM t ORDER BY id": the nodes applied log entries during each of `),
			ContainSubstring("no node was behind after the last one, which found: node 0 (n0)"),
			ContainSubstring("node 0 (n0) has 1, node 1 (n1) has 2"))))
		unsettled.Applied[1] -= 2
		Expect(err).To(MatchError(ContainSubstring("no difference is proven; node 1 was 2 entries behind after the last one")))
	}, patience)
})

var _ = Describe("VerifyDataConsistency of a target without indexes", func() {
	noIndexes := &fake.Target{Prepare: func(f *fake.Cluster) {
		for i := range 3 {
			shows(f.Node(i), func(s *target.Status) { s.CommitIndex, s.AppliedIndex = 0, 0 })
		}
	}}

	It("compares again until the nodes agree", func(ctx SpecContext) {
		c, f := bootOf(noIndexes)
		f.Answers(orderedQuery, fake.Table("id"))
		f.Node(2).Answers(orderedQuery, fake.Table("id", fake.Row(int64(1))))
		var asked atomic.Int64
		f.Node(2).OnQuery(func(context.Context, target.Request) error {
			if asked.Add(1) == 3 {
				f.Node(2).Answers(orderedQuery, fake.Table("id"))
			}
			return nil
		})
		Expect(c.VerifyDataConsistency(ctx, orderedQuery)).To(Succeed())
		Expect(asked.Load()).To(BeEquivalentTo(4))
	}, patience)

	It("reports the difference if they do not before ctx ends", func(ctx SpecContext) {
		c, f := bootOf(noIndexes)
		f.Answers(orderedQuery, fake.Table("id"))
		f.Node(2).Answers(orderedQuery, fake.Table("id", fake.Row(int64(1))))
		differs(c.VerifyDataConsistency(endingWhen(ctx, func() bool { return len(f.Node(2).Asked()) > 2 }), orderedQuery))
	}, patience)
})

// settlesInBounds is for TestInVirtualTime, where it takes no time.
func settlesInBounds(ctx context.Context, g Gomega, c *harness.Cluster, f *fake.Cluster) {
	f.Answers(bagQuery, fake.Table("id"))
	shows(f.Node(1), func(s *target.Status) { s.CommitIndex = 42 })
	begun := time.Now()
	err := c.VerifyDataConsistency(ctx, bagQuery)
	g.Expect(err).To(MatchError(context.DeadlineExceeded))
	g.Expect(err).To(MatchError(ContainSubstring("the context has no deadline, so the wait is limited to 10s")))
	g.Expect(time.Since(begun)).To(Equal(harness.Settling))

	f.Node(1).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) { <-ctx.Done(); return s, ctx.Err() })
	begun = time.Now()
	g.Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(MatchError(harness.ErrUnreachable))
	g.Expect(time.Since(begun)).To(BeNumerically("~", 6*time.Second, 2*time.Second))

	long, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	shows(f.Node(1), func(s *target.Status) { s.CommitIndex = 42 })
	begun = time.Now()
	g.Expect(c.VerifyDataConsistency(long, bagQuery)).To(MatchError(context.DeadlineExceeded))
	g.Expect(time.Since(begun)).To(Equal(time.Hour), "a deadline of one's own is kept")
}
