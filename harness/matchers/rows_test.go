package matchers_test

import (
	"fmt"
	"math"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// answered is the answer of a node, of one table.
func answered(node int, rows ...[]any) harness.Result {
	return harness.Result{Node: node, ID: fmt.Sprint("n", node), Tables: []harness.Table{{Columns: []target.Column{{Name: "a"}}, Rows: rows}}}
}

type (
	level int8
	name  string
)

var _ = Describe("HaveRows", func() {
	DescribeTable("brings Go's many types to SQL's few", func(stored, expected any) {
		holds(answered(0, []any{stored}), HaveRows(Row(expected)))
	},
		Entry(nil, int64(-1), -1), Entry(nil, int64(-1), int8(-1)), Entry(nil, int64(-1), int16(-1)), Entry(nil, int64(-1), int32(-1)),
		Entry(nil, int64(math.MinInt64), int64(math.MinInt64)),
		Entry(nil, int64(1), uint(1)), Entry(nil, int64(1), uint8(1)), Entry(nil, int64(1), uint16(1)), Entry(nil, int64(1), uint32(1)),
		Entry(nil, int64(math.MaxInt64), uint64(math.MaxInt64)), Entry(nil, int64(1), uintptr(1)), Entry(nil, int64(2), level(2)),
		Entry(nil, 0.5, float32(0.5)), Entry(nil, 0.1, 0.1),
		Entry(nil, int64(1), true), Entry(nil, int64(0), false),
		Entry(nil, nil, nil), Entry(nil, "x", "x"), Entry(nil, "x", name("x")), Entry(nil, "", ""),
		Entry(nil, []byte{1, 2}, []byte{1, 2}), Entry(nil, []byte{}, []byte(nil)),
		Entry(nil, "xyz", ContainSubstring("y")), Entry(nil, int64(7), BeNumerically(">", 6)), Entry(nil, nil, BeNil()),
		Entry(nil, "x", Not(BeNil())), Entry(nil, []byte{1}, HaveLen(1)),
	)

	DescribeTable("tells types apart", func(stored, expected any) {
		holdsNot(answered(0, []any{stored}), HaveRows(Row(expected)))
	},
		Entry(nil, int64(1), 2), Entry(nil, int64(1), 1.0), Entry(nil, int64(1), "1"), Entry(nil, 1.0, 1), Entry(nil, "1", 1),
		Entry(nil, nil, 0), Entry(nil, nil, ""), Entry(nil, nil, false), Entry(nil, int64(0), nil), Entry(nil, "", nil),
		Entry(nil, "a", []byte("a")), Entry(nil, []byte("a"), "a"), Entry(nil, int64(1), false), Entry(nil, int64(2), true),
		Entry(nil, int64(-1), uint64(math.MaxUint64)), Entry(nil, "xyz", ContainSubstring("a")), Entry(nil, nil, []byte(nil)),
	)

	It("needs these rows, in this order, and no others", func() {
		ab := answered(1, Row(int64(1), "a"), Row(int64(2), nil))
		Expect(holds(ab, HaveRows(Row(1, "a"), Row(2, nil)))).To(Equal(`Expected other rows than
    1 | "a"
    2 | NULL
but the answer has these rows`))
		Expect(holdsNot(ab, HaveRows(Row(2, nil), Row(1, "a")))).To(Equal(`Expected the rows
    2 | NULL
    1 | "a"
but node 1 (n1) differs in row 1, column 1: Expected
    <int64>: 1
to equal
    <int64>: 2
The answer was:
    1 | "a"
    2 | NULL`))
		Expect(holdsNot(ab, HaveRows(Row(1, "a")))).To(Equal(`Expected the rows
    1 | "a"
but node 1 (n1) has 2 rows, not 1:
    1 | "a"
    2 | NULL`))
		Expect(holdsNot(answered(0), HaveRows(Row(1, []byte{0xff}, HaveLen(1))))).To(Equal(`Expected the rows
    1 | x'ff' | <*matchers.HaveLenMatcher>
but node 0 (n0) has 0 rows, not 1:
    (no rows)`))
		Expect(holdsNot(ab, HaveRows(Row(1), Row(2)))).To(HaveSuffix("but node 1 (n1) has 2 columns, not 1"))
	})

	It("can expect no rows", func() {
		holds(answered(0), HaveRows())
		holds(harness.Result{}, HaveRows())
		Expect(holdsNot(answered(0, Row("x")), HaveRows())).To(HavePrefix("Expected the rows\n    (no rows)\nbut node 0 (n0) has 1 rows, not 0:"))
	})

	It("needs them of each of many results, and names the one that differs", func() {
		all := []harness.Result{answered(0, Row("x")), answered(2, Row("x")), answered(3, Row("x"))}
		holds(all, HaveRows(Row("x")))
		all[1] = answered(2, Row("y"))
		Expect(holdsNot(all, HaveRows(Row("x")))).To(ContainSubstring("but node 2 (n2) differs in row 1, column 1"))
		all[1] = answered(0, Row("x"))
		Expect(holdsNot(all, HaveRows(Row("x")))).To(ContainSubstring("but node 0 (n0) answered twice"))
	})

	It("passes on what a matcher cannot judge, and where", func() {
		Expect(refused(answered(0, Row(int64(1)), Row("x")), HaveRows(Row(1), Row(BeNumerically(">", 0))))).To(
			MatchError(HavePrefix("row 2, column 1: ")))
	})

	It("shows no more rows than can be read", func() {
		var rows [][]any
		for i := range 100 {
			rows = append(rows, Row(int64(i)))
		}
		message := holdsNot(answered(0, rows...), HaveRows(Row(0)))
		Expect(message).To(HaveSuffix("    19\n    … and 80 more"))
		Expect(strings.Count(message, "\n")).To(BeNumerically("<", 30))
	})

	It("can be used with the verbs, and with Eventually", func(ctx SpecContext) {
		c, f := boot()
		f.Answers("q", fake.Table("a", fake.Row("x")))
		Expect(c.ExecuteOnRandom(ctx, "q")).To(HaveRows(Row("x")))
		Expect(c.ExecuteOnAll(ctx, "q")).To(And(HaveLen(3), HaveRows(Row("x"))))
		go f.Answers("q", fake.Table("a", fake.Row("y")))
		Eventually(ctx, func() (harness.Result, error) { return c.ExecuteOnRandom(ctx, "q") }).Should(HaveRows(Row("y")))
	}, patience)
})
