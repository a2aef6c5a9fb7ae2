package harness_test

import (
	"context"
	"errors"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("A local statement after a schema change", func() {
	var (
		c       *harness.Cluster
		f       *fake.Cluster
		applied atomic.Uint64 // by node 1
		probes  atomic.Int64  // at node 1
	)

	BeforeEach(func(ctx SpecContext) {
		c, f = boot()
		f.Answers(bagQuery, fake.Table("id"))
		f.Node(1).OnStatus(func(_ context.Context, s target.Status) (target.Status, error) {
			probes.Add(1)
			s.AppliedIndex = applied.Load()
			return s, nil
		})
		applied.Store(1)
		probes.Store(0)
	})

	create := func(ctx context.Context) {
		GinkgoHelper()
		Expect(node(c, 0).Execute(ctx, "INSERT INTO u VALUES (1); CREATE TABLE t (id INTEGER)")).Error().NotTo(HaveOccurred())
	}
	local := func() *harness.Node { return node(c, 1).Reading(target.Local) }

	It("waits until its node knows the schema, once", func(ctx SpecContext) {
		create(ctx)
		done := make(chan error, 1)
		go func() { _, err := c.Reading(target.Local).ExecuteOnAll(ctx, bagQuery); done <- err }()
		Eventually(ctx, probes.Load).Should(BeNumerically(">", 3))
		Expect(done).NotTo(Receive())
		Expect(f.Node(1).Asked()).To(BeEmpty())
		applied.Store(2)
		Eventually(ctx, done).Should(Receive(BeNil()))

		probed := probes.Load()
		Expect(local().Execute(ctx, bagQuery)).Error().NotTo(HaveOccurred())
		Expect(probes.Load()).To(Equal(probed), "it waits for what it has seen")
	}, patience)

	It("says what it waited for, and that nothing was asked", func(ctx SpecContext) {
		create(ctx)
		_, err := local().Execute(shortly(ctx), bagQuery)
		Expect(err).To(MatchError(And(HavePrefix("execute on node 1 (n1): wait for node 1 (n1) to apply index 2, a schema change, "+
			"before it is asked: "),
			ContainSubstring("1 entry behind"))))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(f.Node(1).Asked()).To(BeEmpty())
	}, patience)

	DescribeTable("does not wait", func(ctx SpecContext, prepare func(ctx context.Context), ask func() *harness.Node) {
		prepare(ctx)
		probes.Store(0)
		_, err := ask().Execute(shortly(ctx), bagQuery)
		Expect(err).NotTo(HaveOccurred())
		Expect(probes.Load()).To(BeZero())
	},
		Entry("for rows", patience, func(ctx context.Context) {
			Expect(node(c, 0).Execute(ctx, "INSERT INTO t VALUES ('CREATE TABLE')")).Error().NotTo(HaveOccurred())
		}, func() *harness.Node { return local() }),
		Entry("for a change that was not acknowledged", patience, func(ctx context.Context) {
			f.Node(0).OnQuery(func(context.Context, target.Request) error { return errors.New("lost") })
			Expect(node(c, 0).Execute(ctx, "CREATE TABLE t (id INTEGER)")).Error().To(HaveOccurred())
		}, func() *harness.Node { return local() }),
		Entry("inside a node", patience, create, func() *harness.Node { return local().Inside() }),
		Entry("through AsIs of the node", patience, create, func() *harness.Node { return local().AsIs() }),
		Entry("through AsIs of the cluster", patience, create, func() *harness.Node { return node(c.AsIs().Reading(target.Local), 1) }),
		Entry("if it is not local", patience, create, func() *harness.Node { return node(c, 1).Reading(target.Leader) }),
	)

	It("does not wait for rows that are written after the schema change", func(ctx SpecContext) {
		create(ctx)
		for range 5 {
			Expect(node(c, 0).Execute(ctx, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
		}
		applied.Store(2)
		Expect(local().Execute(shortly(ctx), bagQuery)).Error().NotTo(HaveOccurred())
	}, patience)

	It("asks a node that is offline or reports no status at once", func(ctx SpecContext) {
		create(ctx)
		f.Node(1).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("gone")
		})
		Expect(local().Execute(ctx, bagQuery)).Error().NotTo(HaveOccurred())
		f.Node(1).OnStatus(nil)
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(local().Execute(ctx, bagQuery)).Error().To(MatchError(ContainSubstring("connection refused")))
	}, patience)

	It("waits again after a restart of its node", func(ctx SpecContext) {
		create(ctx)
		applied.Store(2)
		Expect(local().Execute(ctx, bagQuery)).Error().NotTo(HaveOccurred())
		Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).To(Succeed())
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		applied.Store(0)
		_, err := local().Execute(shortly(ctx), bagQuery)
		Expect(err).To(MatchError(ContainSubstring("a schema change")))
	}, patience)

	It("learns the index from the others if the node that acknowledged it is gone", func(ctx SpecContext) {
		f.Node(0).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("gone")
		})
		create(ctx)
		_, err := local().Execute(shortly(ctx), bagQuery)
		Expect(err).To(MatchError(ContainSubstring("to apply index 2, a schema change")))
	}, patience)
})
