//go:build cgo

package harness_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/isolation/transacting"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("An interactive transaction", func() {
	var c *harness.Cluster

	BeforeEach(func(ctx SpecContext) {
		var err error
		c, err = harness.Boot(ctx, &transacting.Target{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		_, err = c.ExecuteOnRandom(ctx, "CREATE TABLE t (v INTEGER)")
		Expect(err).NotTo(HaveOccurred())
	})

	node := func(i int) *harness.Node {
		GinkgoHelper()
		n, err := c.Node(i)
		Expect(err).NotTo(HaveOccurred())
		return n
	}
	begin := func(ctx context.Context, i int) *harness.Transaction {
		GinkgoHelper()
		tx, err := node(i).Begin(ctx, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		return tx
	}
	count := func(ctx context.Context) any {
		GinkgoHelper()
		result, err := c.ExecuteOnRandom(ctx, "SELECT count(*) FROM t")
		Expect(err).NotTo(HaveOccurred())
		return result.Rows()[0][0]
	}

	It("shows its changes to others after its commit", func(ctx SpecContext) {
		Expect(c.Isolations()).To(Equal([]target.Isolation{target.Serializable}))
		tx := begin(ctx, 1)
		Expect(tx.Node().Index()).To(Equal(1))
		Expect(tx.Level()).To(Equal(target.Serializable))
		result, err := tx.Execute(ctx, "INSERT INTO t VALUES (?), (?)", 1, 2)
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Affected()).To(BeEquivalentTo(2))
		Expect(count(ctx)).To(BeEquivalentTo(0))
		Expect(tx.Commit(ctx)).To(Succeed())
		Expect(tx.Rollback(ctx)).To(Succeed())
		Expect(count(ctx)).To(BeEquivalentTo(2))
	}, patience)

	It("leaves nothing after its rollback, and outlives the context it was begun with", func(ctx SpecContext) {
		brief, cancel := context.WithCancel(ctx)
		tx, err := c.BeginOnRandom(brief, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		cancel()
		Expect(tx.Execute(ctx, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
		Expect(tx.Rollback(ctx)).To(Succeed())
		Expect(count(ctx)).To(BeEquivalentTo(0))
	}, patience)

	It("says that it was aborted, with the node and the outcome", func(ctx SpecContext) {
		one, other := begin(ctx, 0), begin(ctx, 2)
		for _, tx := range []*harness.Transaction{one, other} {
			Expect(tx.Execute(ctx, "INSERT INTO t SELECT count(*) FROM t")).Error().NotTo(HaveOccurred())
			Expect(tx.Execute(ctx, "SELECT sum(v), count(*) FROM t")).Error().NotTo(HaveOccurred())
		}
		Expect(one.Commit(ctx)).To(Succeed())
		err := other.Commit(ctx)
		Expect(err).To(MatchError(target.ErrConflict))
		Expect(err).To(MatchError(HavePrefix("COMMIT on node 2 (n2): ")))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
	}, patience)

	It("is recorded statement by statement, as operations that change nothing by themselves", func(ctx SpecContext) {
		before := c.Journal().Total(journal.Resource, journal.Shown)
		tx := begin(ctx, 1)
		Expect(tx.Execute(ctx, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
		Expect(tx.Commit(ctx)).To(Succeed())
		var told []string
		for _, e := range c.Journal().Last(c.Journal().Total(journal.Resource, journal.Shown)-before, journal.Resource, journal.Shown) {
			Expect(e.Op.Changes()).To(BeFalse())
			told = append(told, e.Text)
		}
		Expect(told).To(Equal([]string{
			"in a transaction: BEGIN at serializable", "in a transaction: INSERT INTO t VALUES (1)", "in a transaction: COMMIT"}))
	}, patience)

	It("needs a target that has them, a node that is there, and an online node", func(ctx SpecContext) {
		plain, _ := boot()
		Expect(plain.Isolations()).To(BeEmpty())
		_, err := plain.BeginOnRandom(ctx, target.Serializable)
		Expect(err).To(MatchError(harness.ErrUnsupported))
		Expect(err).To(MatchError(HaveSuffix("the target cannot run interactive transactions")))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))

		for i := range 3 {
			Expect(c.TakeNodeOffline(ctx, i)).To(Succeed())
		}
		Expect(node(1).Begin(ctx, target.Serializable)).Error().To(MatchError(target.ErrUnreachable))
		Expect(c.BeginOnRandom(ctx, target.Serializable)).Error().To(MatchError(harness.ErrNoNodesOnline))
	}, patience)
})
