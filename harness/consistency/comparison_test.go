package consistency_test

import (
	"context"
	"errors"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

// answering is a node with one answer.
type answering struct {
	target.Node
	index int
}

func (n answering) Index() int { return n.index }

func (n answering) Query(ctx context.Context) (target.Rows, error) {
	return n.Client().Query(ctx, target.Request{SQL: "q"})
}

func (n answering) Wrap(err error) error { return fmt.Errorf("node %d: %w", n.index, err) }

// compare compares the answers of two nodes, and returns how they differ.
func compare(ctx context.Context, ordered bool, a, b *fake.Answer) *consistency.InconsistencyError {
	GinkgoHelper()
	t := &fake.Target{}
	cluster, err := t.Boot(ctx, 2)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(cluster.Close)
	c := consistency.Comparison{Query: "q", Ordered: ordered}
	for i, answer := range []*fake.Answer{a, b} {
		t.Last().Node(i).Answers("q", answer)
		c.Nodes = append(c.Nodes, answering{cluster.Nodes()[i], i})
	}
	var difference *consistency.InconsistencyError
	err = consistency.ByValue{}.Compare(ctx, c)
	Expect(errors.As(err, &difference)).To(BeTrue(), "%v", err)
	Expect([]int{difference.A.Node, difference.B.Node}).To(Equal([]int{0, 1}))
	Expect([]string{difference.A.ID, difference.B.ID}).To(Equal([]string{"n0", "n1"}))
	return difference
}

var _ = Describe("An InconsistencyError", func() {
	right, wrong := fake.Row(int64(2), "b"), fake.Row(int64(2), "c")

	It("has the column and both values", func(ctx SpecContext) {
		for _, ordered := range []bool{true, false} {
			e := compare(ctx, ordered, fake.Table("id, v", fake.Row(int64(1), "a"), right), fake.Table("id, v", fake.Row(int64(1), "a"), wrong))
			Expect(e).To(And(HaveField("Kind", consistency.Value), HaveField("Column", "v")))
			Expect([]any{e.A.Value, e.B.Value}).To(Equal([]any{"b", "c"}))
			Expect([][]any{e.A.Row, e.B.Row}).To(Equal([][]any{right, wrong}))
			if ordered {
				Expect(e.Row).To(Equal(2))
			} else {
				Expect([]int{e.A.Only, e.B.Only}).To(Equal([]int{1, 1}))
			}
		}
	})

	It("has the row that a node lacks", func(ctx SpecContext) {
		for _, ordered := range []bool{true, false} {
			e := compare(ctx, ordered, fake.Table("id, v"), fake.Table("id, v", right))
			Expect(e).To(And(HaveField("Kind", consistency.Missing), HaveField("Column", "")))
			Expect([][]any{e.A.Row, e.B.Row}).To(Equal([][]any{nil, right}))
		}
	})

	It("has how often a row is there", func(ctx SpecContext) {
		e := compare(ctx, false, fake.Table("v", fake.Row("a")), fake.Table("v", fake.Row("a"), fake.Row("a"), fake.Row("a")))
		Expect(e).To(And(HaveField("Kind", consistency.Missing), HaveField("A.Count", 1), HaveField("B.Count", 3)))
		Expect(e).To(MatchError(ContainSubstring("('a') is there 3 times on node 1 (n1) and 1 times on node 0 (n0)")))
	})

	It("has the columns", func(ctx SpecContext) {
		e := compare(ctx, false, fake.Table("id, v"), fake.Table("id, w"))
		Expect(e).To(HaveField("Kind", consistency.Columns))
		Expect([][]string{e.A.Columns, e.B.Columns}).To(Equal([][]string{{"id", "v"}, {"id", "w"}}))
	})
})

var _ = Describe("A comparison", func() {
	It("of no nodes is an error", func(ctx SpecContext) {
		Expect(consistency.ByValue{}.Compare(ctx, consistency.Comparison{Query: "q"})).To(MatchError(consistency.ErrNoNodes))
	})
})
