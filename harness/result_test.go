package harness_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Parameters", func() {
	DescribeTable("become what SQL stores", func(ctx SpecContext, arg, stored any) {
		c, f := boot(harness.Size(1))
		_, err := node(c, 0).Execute(ctx, "SELECT ?", arg)
		Expect(err).NotTo(HaveOccurred())
		got := f.Node(0).Asked()[0].Params[0]
		if stored == nil {
			Expect(got).To(BeNil())
			return
		}
		Expect(got).To(Equal(stored))
	},
		Entry("nil", patience, nil, nil),
		Entry("int", patience, -7, int64(-7)),
		Entry("int32", patience, int32(-7), int64(-7)),
		Entry("int64", patience, int64(math.MinInt64), int64(math.MinInt64)),
		Entry("uint32", patience, uint32(math.MaxUint32), int64(math.MaxUint32)),
		Entry("float32", patience, float32(0.5), 0.5),
		Entry("float64", patience, 0.1, 0.1),
		Entry("true", patience, true, int64(1)),
		Entry("false", patience, false, int64(0)),
		Entry("string", patience, "é", "é"),
		Entry("an empty string", patience, "", ""),
		Entry("bytes", patience, []byte{0, 255}, []byte{0, 255}),
	)

	DescribeTable("that SQL cannot store are refused before a node is asked", func(ctx SpecContext, arg any, kind string) {
		c, f := boot(harness.Size(1))
		_, err := node(c, 0).Execute(ctx, "INSERT ?, ?", 1, arg)
		Expect(err).To(MatchError("execute on node 0 (n0): parameter 2 is a " + kind +
			"; allowed: nil, bool, int, int32, int64, uint32, float32, float64, string, []byte"))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(f.Node(0).Asked()).To(BeEmpty())
	},
		Entry("a time", patience, time.Unix(0, 0), "time.Time"),
		Entry("a pointer", patience, new(int), "*int"),
		Entry("a slice", patience, []int{1}, "[]int"),
		Entry("uint64, which may exceed the integers of SQL", patience, uint64(1), "uint64"),
		Entry("a struct", patience, struct{}{}, "struct {}"),
		Entry("an error", patience, errors.New("x"), "*errors.errorString"),
	)
})

var _ = Describe("Result", func() {
	var ctx = context.Background()

	execute := func(answer *fake.Answer) harness.Result {
		GinkgoHelper()
		c, f := boot(harness.Size(1))
		f.Answers("it", answer)
		result, err := node(c, 0).Execute(ctx, "it")
		Expect(err).NotTo(HaveOccurred())
		Expect(answer.Open()).To(BeZero(), "the answer was not closed")
		return result
	}

	It("has one table for each statement", func() {
		table := fake.Table("id INTEGER, name TEXT", fake.Row(int64(1), "a"), fake.Row(int64(2), nil))
		r := execute(fake.Both(fake.Change(2), fake.Both(table, fake.Change(3))))
		Expect(r.Node).To(Equal(0))
		Expect(r.ID).To(Equal("n0"))
		Expect(r.Tables).To(Equal([]harness.Table{
			{Affected: 2},
			{Columns: []target.Column{{Name: "id", Type: "INTEGER"}, {Name: "name", Type: "TEXT"}}, Rows: [][]any{{int64(1), "a"}, {int64(2), nil}}},
			{Affected: 3},
		}))
		Expect(r.Rows()).To(Equal([][]any{{int64(1), "a"}, {int64(2), nil}}))
		Expect(r.Affected()).To(Equal(int64(5)))
	})

	It("has the rows of the last statement with columns, even if there are none", func() {
		Expect(execute(fake.Both(fake.Table("a", fake.Row(int64(1))), fake.Table("a"))).Rows()).To(BeEmpty())
		Expect(execute(fake.Change(1)).Rows()).To(BeNil())
		Expect(execute(fake.Nothing()).Rows()).To(BeNil())
		Expect(harness.Result{}.Rows()).To(BeNil())
	})

	It("has a value if there is exactly one", func() {
		Expect(execute(fake.Table("count", fake.Row(int64(4)))).Value()).To(Equal(int64(4)))
		Expect(execute(fake.Table("max", fake.Row(nil))).Value()).To(BeNil())
		for answer, rows := range map[*fake.Answer]int{
			fake.Table("a"): 0,
			fake.Table("a", fake.Row(int64(1)), fake.Row("b")): 2,
			fake.Table("a, b", fake.Row(int64(1), int64(2))):   1,
			fake.Change(1): 0,
			fake.Both(fake.Table("a", fake.Row("x")), fake.Table("a")): 0,
		} {
			_, err := execute(answer).Value()
			Expect(err).To(MatchError(fmt.Sprintf("node 0 (n0) answered %d rows, expected one row of one column", rows)))
		}
	})

	It("is empty if the answer is incomplete, or cannot be closed", func() {
		c, f := boot(harness.Size(1))
		broken := fake.Table("a", fake.Row(int64(1))).Breaking(&target.Error{Code: "CUT", Outcome: target.Applied})
		f.Answers("broken", broken)
		f.Answers("open", fake.Table("a", fake.Row(int64(1))).FailingToClose(errors.New("reset")))
		result, err := node(c, 0).Execute(ctx, "broken")
		Expect(target.OutcomeOf(err)).To(Equal(target.Applied))
		Expect(err).To(HaveOccurred())
		Expect(result).To(BeZero())
		Expect(broken.Open()).To(BeZero())
		_, err = node(c, 0).Execute(ctx, "open")
		Expect(err).To(MatchError("execute on node 0 (n0): reset"))
	})
})
