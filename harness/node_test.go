package harness_test

import (
	"context"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Node", func() {
	It("is asked whatever its flag says, over links that may be cut or past every fault", func(ctx SpecContext) {
		c, f := boot()
		f.Answers("SELECT 1", fake.Table("1", fake.Row(int64(1))))
		n := node(c, 1)
		Expect(fmt.Sprint(n, " ", n.Index(), " ", n.ID(), " ", n.Cluster().Size())).To(Equal("node 1 (n1) 1 n1 3"))
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		_, err := n.Execute(ctx, "SELECT 1")
		Expect(err).To(MatchError(ContainSubstring("connection refused")))
		Expect(n.Inside().Reading(target.Local).Execute(ctx, "SELECT 1")).To(HaveField("Tables", HaveLen(1)))
		Expect(f.Node(1).AskedInside()).To(HaveExactElements(HaveField("Consistency", target.Local)))
		Expect(f.Node(1).Asked()).To(HaveLen(1), "the node itself was not changed by Inside")
	}, patience)

	It("streams through Query, which acknowledges no change", func(ctx SpecContext) {
		c, f := boot(harness.Size(1))
		answer := fake.Table("a", fake.Row("x"), fake.Row("y"))
		f.Answers("SELECT a", answer)
		rows, err := node(c, 0).Query(ctx, "SELECT a")
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Open()).To(BeEquivalentTo(1))
		Expect(rows.NextResult()).To(BeTrue())
		Expect(rows.Next()).To(BeTrue())
		Expect(rows.Row()).To(Equal([]any{"x"}))
		Expect(rows.Close()).To(Succeed())
		Expect(answer.Open()).To(BeZero())
		Expect(f.Node(0).Asked()[0].ID).To(BeEmpty())
	}, patience)

	It("has a log where the target keeps one", func() {
		c, f := boot()
		Expect(node(c, 1).Log(9)).To(Equal("said this"))
		failing(f, "log 1", errors.New("gone"))
		Expect(node(c, 1).Log(9)).Error().To(MatchError("read log on node 1 (n1): gone"))
		plain, _ := bootOf(&fake.Target{Plain: true})
		Expect(node(plain, 1).Log(9)).Error().To(MatchError("read log on node 1 (n1): the target cannot read node logs"))
	})

	It("lists its files where the target can", func(ctx SpecContext) {
		c, f := boot()
		Expect(node(c, 1).Files(ctx)).To(Equal([]string{"n1/file"}))
		failing(f, "files 1", errors.New("gone"))
		Expect(node(c, 1).Files(ctx)).Error().To(MatchError("list files on node 1 (n1): gone"))
		plain, _ := bootOf(&fake.Target{Plain: true})
		Expect(node(plain, 1).Files(ctx)).Error().To(MatchError("list files on node 1 (n1): the target cannot list node files"))
	}, patience)

	It("returns why it has no status", func(ctx SpecContext) {
		c, f := boot()
		f.Node(2).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("gone")
		})
		_, err := node(c, 2).Status(ctx)
		Expect(err).To(MatchError("ask for status on node 2 (n2): gone"))
	}, patience)
})

var _ = Describe("Leader", func() {
	It("is the node that a quorum names", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.Leader(ctx)).To(Equal(0))
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(c.Leader(ctx)).To(Equal(0), "two of three")
		shows(f.Node(0), func(s *target.Status) { s.Leader = "n2" })
		_, err := c.Leader(ctx)
		Expect(err).To(MatchError(HavePrefix("there is no leader: no node is called leader by 2 of 3 voters (none: 1, n0: 1, n2: 1)")))
		f.Node(2).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("gone")
		})
		_, err = c.Leader(ctx)
		Expect(err).To(MatchError(ContainSubstring("ask for status on node 2 (n2): gone")))
	}, patience)

	It("is none if no quorum names one", func(ctx SpecContext) {
		c, f := boot()
		for i := range 3 {
			shows(f.Node(i), func(s *target.Status) { s.Leader = "" })
		}
		_, err := c.Leader(ctx)
		Expect(err).To(HaveOccurred())
	}, patience)
})
