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

var _ = Describe("ExecuteWithRetry", func() {
	lost := &target.Error{Code: "NO_QUORUM", Message: "lost", Outcome: target.Unknown, Temporary: true}

	// loseTries makes the first attempts fail, on whichever nodes.
	loseTries := func(f *fake.Cluster, nodes int, tries int64) {
		var left atomic.Int64
		left.Store(tries)
		for i := range nodes {
			f.Node(i).OnQuery(func(context.Context, target.Request) error {
				if left.Add(-1) >= 0 {
					return lost
				}
				return nil
			})
		}
	}

	It("sends attempts under one name until one is answered", func(ctx SpecContext) {
		c, f := boot()
		loseTries(f, 3, 4)
		Expect(c.ExecuteWithRetry(ctx, "INSERT")).Error().NotTo(HaveOccurred())
		names := make(map[string]int)
		for i := range 3 {
			for _, request := range f.Node(i).Asked() {
				names[request.ID]++
			}
		}
		Expect(names).To(HaveLen(1), "a try had another name")
		Expect(names).To(HaveEach(5))
		Expect(names).NotTo(HaveKey(""))
	}, patience)

	It("asks no node again before it has asked every other", func(ctx SpecContext) {
		c, f := boot(harness.Size(5))
		loseTries(f, 5, 9)
		Expect(c.ExecuteWithRetry(ctx, "INSERT")).Error().NotTo(HaveOccurred())
		for i := range 5 {
			Expect(f.Node(i).Asked()).To(HaveLen(2))
		}
	}, patience)

	It("returns an error of the statement itself at once", func(ctx SpecContext) {
		c, f := boot(harness.Size(1))
		f.Node(0).OnQuery(func(context.Context, target.Request) error {
			return &target.Error{Code: "SQL_ERROR", Message: "no such table", Outcome: target.NotApplied}
		})
		_, err := c.ExecuteWithRetry(ctx, "INSERT")
		Expect(err).To(MatchError(ContainSubstring("no such table")))
		Expect(f.Node(0).Asked()).To(HaveLen(1))
	}, patience)

	DescribeTable("knows after an attempt with an unknown outcome what a refusal of the next one says",
		func(ctx SpecContext, remembers bool, outcome target.Outcome) {
			c, f := bootOf(&fake.Target{Plain: !remembers}, harness.Size(1))
			answers := []error{lost, &target.Error{Code: "EXISTS", Message: "the row exists", Kind: target.ErrExists, Outcome: target.NotApplied}}
			f.Node(0).OnQuery(func(context.Context, target.Request) error {
				answer := answers[0]
				answers = answers[1:]
				return answer
			})
			_, err := c.ExecuteWithRetry(ctx, "INSERT")
			Expect(err).To(MatchError(target.ErrExists))
			Expect(target.OutcomeOf(err)).To(Equal(outcome))
		},
		Entry("a database that knows requests again has not applied the first", patience, true, target.NotApplied),
		Entry("another one may have applied it, which may be why it refuses the next", patience, false, target.Unknown),
	)

	It("waits for a node to come online", func(ctx SpecContext) {
		c, f := boot(harness.Size(1))
		Expect(c.TakeNodeOffline(ctx, 0)).To(Succeed())
		done := make(chan error)
		go func() {
			_, err := c.ExecuteWithRetry(ctx, "INSERT")
			done <- err
		}()
		Consistently(done).WithTimeout(20 * time.Millisecond).ShouldNot(Receive())
		Expect(c.BringNodeOnline(ctx, 0)).To(Succeed())
		Eventually(ctx, done).Should(Receive(BeNil()))
		Expect(f.Node(0).Asked()).To(HaveLen(1))
	}, patience)

	It("says when it gives up whether any attempt may have been applied", func(ctx SpecContext) {
		c, f := boot(harness.Size(1))
		first := true
		f.Node(0).OnQuery(func(context.Context, target.Request) error {
			if first {
				first = false
				return lost
			}
			return &target.Error{Code: "NO_LEADER", Message: "no node leads", Outcome: target.NotApplied, Temporary: true}
		})
		short, cancel := context.WithTimeoutCause(ctx, 20*time.Millisecond, errors.New("enough"))
		defer cancel()
		_, err := c.ExecuteWithRetry(short, "INSERT")
		Expect(err).To(MatchError(And(ContainSubstring("gave up retrying: enough"), ContainSubstring("no node leads"))))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown), "the first attempt may have been applied")

		Expect(c.TakeNodeOffline(ctx, 0)).To(Succeed())
		short, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err = c.ExecuteWithRetry(short, "INSERT")
		Expect(err).To(MatchError(harness.ErrNoNodesOnline))
		Expect(err).To(MatchError(HavePrefix("gave up retrying (no quorum: 0 of 1 voters online, 1 needed): ")))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
	}, patience)
})
