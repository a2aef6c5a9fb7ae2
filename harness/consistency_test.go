package harness_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/consistency"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

const (
	bagQuery     = "SELECT * FROM t"
	orderedQuery = "SELECT * FROM t ORDER BY id"
)

// longPatience is for specs that read a million rows under the race detector.
const longPatience = 5 * patience

var negativeZero = math.Copysign(0, -1)

// differs expects a difference, and returns it.
func differs(err error) *harness.InconsistencyError {
	GinkgoHelper()
	var difference *harness.InconsistencyError
	Expect(errors.As(err, &difference)).To(BeTrue(), "%v", err)
	return difference
}

var _ = Describe("VerifyDataConsistency", func() {
	It("needs an online node", func(ctx SpecContext) {
		c, _ := boot()
		for i := range 3 {
			Expect(c.TakeNodeOffline(ctx, i)).To(Succeed())
		}
		Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(Equal(harness.ErrNoNodesOnline))
	}, patience)

	It("asks each online node once, for its own state, with the parameters", func(ctx SpecContext) {
		c, f := boot(harness.Size(4))
		answer := fake.Table("id", fake.Row(int64(1)))
		f.Answers("SELECT ?", answer)
		f.Node(3).Answers("SELECT ?", fake.Table("id", fake.Row(int64(2))))
		Expect(c.TakeNodeOffline(ctx, 3)).To(Succeed())
		Expect(c.VerifyDataConsistency(ctx, "SELECT ?", 7)).To(Succeed())
		for i := range 3 {
			Expect(f.Node(i).Asked()).To(Equal([]target.Request{{SQL: "SELECT ?", Params: []any{int64(7)}, Consistency: target.Local}}))
		}
		Expect(f.Node(3).Asked()).To(BeEmpty())
		Expect(answer.Open()).To(BeZero())

		Expect(c.BringNodeOnline(ctx, 3)).To(Succeed())
		Expect(differs(c.VerifyDataConsistency(ctx, "SELECT ?", 7)).B.Node).To(Equal(3))
	}, patience)

	DescribeTable("agrees", func(ctx SpecContext, query string, a, b *fake.Answer) {
		c, f := boot(harness.Size(2))
		f.Node(0).Answers(query, a)
		f.Node(1).Answers(query, b)
		Expect(c.VerifyDataConsistency(ctx, query)).To(Succeed())
		Expect(a.Open() + b.Open()).To(BeZero())
	},
		Entry("on nothing", patience, bagQuery, fake.Table("id"), fake.Table("id")),
		Entry("on nothing, in order", patience, orderedQuery, fake.Table("id"), fake.Table("id")),
		Entry("on values of all types", patience, orderedQuery,
			fake.Table("v", fake.Row(nil), fake.Row(int64(1)), fake.Row(1.5), fake.Row("x"), fake.Row([]byte{0})),
			fake.Table("v", fake.Row(nil), fake.Row(int64(1)), fake.Row(1.5), fake.Row("x"), fake.Row([]byte{0}))),
		Entry("on a multiset in another order", patience, bagQuery,
			fake.Table("id, v", fake.Row(int64(1), "a"), fake.Row(int64(2), "b"), fake.Row(int64(2), "b")),
			fake.Table("id, v", fake.Row(int64(2), "b"), fake.Row(int64(1), "a"), fake.Row(int64(2), "b"))),
		Entry("on a multiset whose computed column has another type in the first row", patience, bagQuery,
			fake.Table("id INTEGER, x INTEGER", fake.Row(int64(1), int64(1)), fake.Row(int64(2), "b")),
			fake.Table("id INTEGER, x TEXT", fake.Row(int64(2), "b"), fake.Row(int64(1), int64(1)))),
		Entry("on another order if the ORDER BY is not the query's own", patience, "SELECT * FROM (SELECT * FROM t ORDER BY id)",
			fake.Table("id", fake.Row(int64(1)), fake.Row(int64(2))),
			fake.Table("id", fake.Row(int64(2)), fake.Row(int64(1)))),
	)

	DescribeTable("names the difference", func(ctx SpecContext, query string, a, b *fake.Answer, message string) {
		c, f := boot(harness.Size(2))
		f.Node(0).Answers(query, a)
		f.Node(1).Answers(query, b)
		err := c.VerifyDataConsistency(ctx, query)
		difference := differs(err)
		message = strings.NewReplacer("{0}", "node 0 (n0)", "{1}", "node 1 (n1)").Replace(message)
		Expect(err.Error()).To(Equal(message))
		Expect(difference).To(And(HaveField("Query", query), HaveField("A.Node", 0), HaveField("B.Node", 1)))
		Expect([]uint64{difference.A.Applied, difference.B.Applied}).To(HaveEach(f.Index()), "the log index that both had applied")
		Expect(a.Open() + b.Open()).To(BeZero())
	},
		Entry("of a value", patience, bagQuery,
			fake.Table("id, name", fake.Row(int64(1), "a"), fake.Row(int64(2), "b")),
			fake.Table("id, name", fake.Row(int64(1), "a"), fake.Row(int64(2), "it's")),
			`{0} and {1} differ on "SELECT * FROM t", column name: {0} has 'b', {1} has 'it''s': the rows are (2, 'b') and (2, 'it''s'); `+
				`rows only on {0}: 1, only on {1}: 1`),
		Entry("of a value, in order", patience, orderedQuery,
			fake.Table("id, name", fake.Row(int64(1), "a"), fake.Row(int64(2), "b")),
			fake.Table("id, name", fake.Row(int64(1), "a"), fake.Row(int64(2), "c")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 2, column name: {0} has 'b', {1} has 'c': the rows are (2, 'b') and (2, 'c')`),
		Entry("of the one value", patience, "SELECT count(*) FROM t",
			fake.Table("count(*)", fake.Row(int64(5))), fake.Table("count(*)", fake.Row(int64(4))),
			`{0} and {1} differ on "SELECT count(*) FROM t", column count(*): {0} has 5, {1} has 4: the rows are (5) and (4); `+
				`rows only on {0}: 1, only on {1}: 1`),
		Entry("of a type, integer or real", patience, orderedQuery,
			fake.Table("v", fake.Row(int64(1))), fake.Table("v", fake.Row(1.0)),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column v: {0} has 1, {1} has 1.0: the rows are (1) and (1.0)`),
		Entry("of a type, real or text", patience, orderedQuery,
			fake.Table("v", fake.Row(1.0)), fake.Table("v", fake.Row("1")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column v: {0} has 1.0, {1} has '1': the rows are (1.0) and ('1')`),
		Entry("of a type, integer or text in a multiset", patience, bagQuery,
			fake.Table("id, v", fake.Row(int64(7), int64(1))), fake.Table("id, v", fake.Row(int64(7), "1")),
			`{0} and {1} differ on "SELECT * FROM t", column v: {0} has 1, {1} has '1': the rows are (7, 1) and (7, '1'); `+
				`rows only on {0}: 1, only on {1}: 1`),
		Entry("of a type, text or bytes", patience, orderedQuery,
			fake.Table("v", fake.Row("a")), fake.Table("v", fake.Row([]byte("a"))),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column v: {0} has 'a', {1} has x'61': the rows are ('a') and (x'61')`),
		Entry("between NULL and an empty text", patience, orderedQuery,
			fake.Table("v", fake.Row(nil)), fake.Table("v", fake.Row("")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column v: {0} has NULL, {1} has '': the rows are (NULL) and ('')`),
		Entry("of the sign of zero", patience, orderedQuery,
			fake.Table("v", fake.Row(0.0)), fake.Table("v", fake.Row(negativeZero)),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column v: {0} has 0.0, {1} has -0.0: the rows are (0.0) and (-0.0)`),
		Entry("of a missing row", patience, bagQuery,
			fake.Table("id, v", fake.Row(int64(1), "a"), fake.Row(int64(2), "b")),
			fake.Table("id, v", fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t": (2, 'b') is missing from {1}; rows only on {0}: 1, only on {1}: 0`),
		Entry("of an extra row", patience, bagQuery,
			fake.Table("id, v", fake.Row(int64(1), "a")),
			fake.Table("id, v", fake.Row(int64(2), "b"), fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t": (2, 'b') is missing from {0}; rows only on {0}: 0, only on {1}: 1`),
		Entry("of a missing row, in order", patience, orderedQuery,
			fake.Table("id, v", fake.Row(int64(1), "a"), fake.Row(int64(2), "b")),
			fake.Table("id, v", fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 2: {0} has (2, 'b'), {1} has no more rows`),
		Entry("of an extra row, in order", patience, orderedQuery,
			fake.Table("id, v"), fake.Table("id, v", fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1: {1} has (1, 'a'), {0} has no more rows`),
		Entry("of the count of a row", patience, bagQuery,
			fake.Table("v", fake.Row("a"), fake.Row("a"), fake.Row("a"), fake.Row("b")),
			fake.Table("v", fake.Row("a"), fake.Row("b")),
			`{0} and {1} differ on "SELECT * FROM t": ('a') is there 3 times on {0} and 1 times on {1}; rows only on {0}: 2, only on {1}: 0`),
		Entry("of the counts of two rows", patience, bagQuery,
			fake.Table("v", fake.Row("a"), fake.Row("a"), fake.Row("b")),
			fake.Table("v", fake.Row("a"), fake.Row("b"), fake.Row("b")),
			`{0} and {1} differ on "SELECT * FROM t": ('a') is there 2 times on {0} and 1 times on {1}; rows only on {0}: 1, only on {1}: 1`),
		Entry("of the order, with an ORDER BY", patience, orderedQuery,
			fake.Table("id", fake.Row(int64(1)), fake.Row(int64(2))),
			fake.Table("id", fake.Row(int64(2)), fake.Row(int64(1))),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column id: {0} has 1, {1} has 2: the rows are (1) and (2)`),
		Entry("of a column's name, without rows", patience, bagQuery,
			fake.Table("id, name"), fake.Table("id, title"),
			`{0} and {1} differ on "SELECT * FROM t": the columns are (id, name) and (id, title)`),
		Entry("of a column's name, with rows", patience, bagQuery,
			fake.Table("id, name", fake.Row(int64(1), "a")), fake.Table("id, title", fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t": the columns are (id, name) and (id, title)`),
		Entry("of a column's type, in order", patience, orderedQuery,
			fake.Table("id INTEGER", fake.Row(int64(1))), fake.Table("id TEXT", fake.Row(int64(1))),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id": the columns are (id INTEGER) and (id TEXT)`),
		Entry("of the number of columns", patience, bagQuery,
			fake.Table("id", fake.Row(int64(1))), fake.Table("id, v", fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t": the columns are (id) and (id, v)`),
		Entry("of the number of columns, in order", patience, orderedQuery,
			fake.Table("id", fake.Row(int64(1))), fake.Table("id, v", fake.Row(int64(1), "a")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id": the columns are (id) and (id, v)`),
		Entry("far inside a long value", patience, orderedQuery,
			fake.Table("v", fake.Row("x"+strings.Repeat("é", 60)+"a")), fake.Table("v", fake.Row("x"+strings.Repeat("é", 60)+"b")),
			`{0} and {1} differ on "SELECT * FROM t ORDER BY id", row 1, column v: `+strings.ReplaceAll(
				"{0} has VALUE, {1} has VALUE: the rows are (VALUE) and (VALUE); the values differ from byte 122 on",
				"VALUE", "'x"+strings.Repeat("é", 39)+"'… (122 bytes)")),
	)

	It("finds the node that differs, whichever it is", func(ctx SpecContext) {
		for odd := range 4 {
			for _, query := range []string{bagQuery, orderedQuery} {
				c, f := boot(harness.Size(4))
				f.Answers(query, fake.Table("id, v", fake.Row(int64(1), "right")))
				f.Node(odd).Answers(query, fake.Table("id, v", fake.Row(int64(1), "wrong")))
				difference := differs(c.VerifyDataConsistency(ctx, query))
				Expect(difference.Column).To(Equal("v"))
				if odd == 0 {
					Expect([]any{difference.A.Node, difference.A.Value, difference.B.Value}).To(Equal([]any{0, "wrong", "right"}))
				} else {
					Expect([]any{difference.B.Node, difference.A.Value, difference.B.Value}).To(Equal([]any{odd, "right", "wrong"}))
					Expect(difference.B.Row).To(Equal([]any{int64(1), "wrong"}))
				}
			}
		}
	}, patience)

	Describe("is an error, and never consistent,", func() {
		DescribeTable("when a node fails halfway", func(ctx SpecContext, query string, odd int) {
			c, f := boot()
			f.Answers(query, fake.Table("id", fake.Row(int64(1)), fake.Row(int64(2))))
			why := errors.New("cut off")
			f.Node(odd).Answers(query, fake.Table("id", fake.Row(int64(1))).Breaking(why))
			err := c.VerifyDataConsistency(ctx, query)
			var difference *harness.InconsistencyError
			Expect(errors.As(err, &difference)).To(BeFalse(), "%v", err)
			Expect(err).To(MatchError(why))
			Expect(err).To(MatchError(ContainSubstring(node(c, odd).String())))

			f.Node(odd).Answers(query, fake.Table("id", fake.Row(int64(1)), fake.Row(int64(2))).Breaking(why))
			Expect(c.VerifyDataConsistency(ctx, query)).To(MatchError(why), "behind the last row")
			f.Answers(query, fake.Table("id").Breaking(why))
			Expect(c.VerifyDataConsistency(ctx, query)).To(MatchError(why), "all of them")
		},
			Entry("the first", patience, bagQuery, 0), Entry("the last", patience, bagQuery, 2),
			Entry("the first, in order", patience, orderedQuery, 0), Entry("the last, in order", patience, orderedQuery, 2),
		)

		It("when a node does not answer", func(ctx SpecContext) {
			c, f := boot()
			answer := fake.Table("id")
			f.Answers(bagQuery, answer)
			f.Node(1).OnQuery(func(context.Context, target.Request) error { return errors.New("refused") })
			Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(MatchError("execute on node 1 (n1): refused"))
			Expect(answer.Open()).To(BeZero())
			f.Node(1).OnQuery(func(ctx context.Context, _ target.Request) error { <-ctx.Done(); return context.Cause(ctx) })
			Expect(c.VerifyDataConsistency(shortly(ctx), bagQuery)).To(MatchError(context.DeadlineExceeded))
		}, patience)

		It("when a node fails at the second read", func(ctx SpecContext) {
			c, f := boot(harness.Size(2))
			f.Node(0).Answers(bagQuery, fake.Table("id", fake.Row(int64(1))))
			f.Node(1).Answers(bagQuery, fake.Table("id"))
			var asked atomic.Int32
			f.Node(1).OnQuery(func(context.Context, target.Request) error {
				if asked.Add(1) == 2 {
					return errors.New("gone")
				}
				return nil
			})
			Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(MatchError("execute on node 1 (n1): gone"))
		}, patience)

		It("when an answer cannot be closed", func(ctx SpecContext) {
			c, f := boot()
			f.Answers(bagQuery, fake.Table("id").FailingToClose(errors.New("reset")))
			Expect(c.VerifyDataConsistency(ctx, bagQuery)).To(MatchError(ContainSubstring("reset")))
		}, patience)

		DescribeTable("when there are no rows of one query to compare", func(ctx SpecContext, answer *fake.Answer, message string) {
			c, f := boot(harness.Size(1))
			for _, query := range []string{bagQuery, orderedQuery} {
				f.Answers(query, answer)
				Expect(c.VerifyDataConsistency(ctx, query)).To(MatchError("compare on node 0 (n0): " + message))
			}
			Expect(answer.Open()).To(BeZero())
		},
			Entry("no result", patience, fake.Nothing(), "the query has no result"),
			Entry("no columns", patience, fake.Table(""), "the query has no result"),
			Entry("two results", patience, fake.Both(fake.Table("a"), fake.Table("a")), "the query has more than one result"),
			Entry("a change", patience, fake.Change(1), "the statement went through the log, so the answer is not the node's own"),
			Entry("rows from the leader", patience, fake.Table("a").ThroughLog(),
				"the statement went through the log, so the answer is not the node's own"),
		)

		DescribeTable("when the query would change data, and no node is asked", func(ctx SpecContext, query string) {
			c, f := boot()
			Expect(c.VerifyDataConsistency(ctx, query)).To(
				MatchError(HavePrefix("only the answers to a query can be compared, and this changes data: ")))
			Expect(f.Node(0).Asked()).To(BeEmpty())
		},
			Entry(nil, patience, "INSERT INTO t VALUES (1) RETURNING id"),
			Entry(nil, patience, "/* all */ delete from t"),
			Entry(nil, patience, "WITH x AS (SELECT 1) UPDATE t SET id = 2"),
			Entry(nil, patience, "SELECT 1; REPLACE INTO t VALUES (1)"),
			Entry(nil, patience, "DROP NAMESPACE shop CASCADE"),
		)
	})

	It("says so if nothing differs at the second read", func(ctx SpecContext) {
		c, f := boot(harness.Size(2))
		f.Node(0).Answers(bagQuery, fake.Table("id", fake.Row(int64(1))))
		f.Node(1).Answers(bagQuery, fake.Table("id", fake.Row(int64(2))))
		var asked atomic.Int32
		f.Node(1).OnQuery(func(context.Context, target.Request) error {
			if asked.Add(1) == 1 {
				f.Node(1).Answers(bagQuery, fake.Table("id", fake.Row(int64(1)))) // from the next time on
			}
			return nil
		})
		Expect(differs(c.VerifyDataConsistency(ctx, bagQuery))).To(MatchError(`node 0 (n0) and node 1 (n1) differ on "SELECT * FROM t": ` +
			"they differed at the first read and no longer at the second: the data is being changed"))
	}, patience)

	Describe("with a million rows", Label("speed:slow"), func() {
		const million = 1_000_000

		// generated is a table whose rows are generated as they are read.
		generated := func(rows int, peak *atomic.Uint64, value func(id int64) string) *fake.Answer {
			return fake.Stream("id INTEGER, v TEXT", rows, func(i int) []any {
				if i%(1<<15) == 0 {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					for seen := peak.Load(); m.HeapAlloc > seen && !peak.CompareAndSwap(seen, m.HeapAlloc); seen = peak.Load() {
					}
				}
				return []any{int64(i), value(int64(i))}
			})
		}
		right := func(int64) string { return "some text" }

		DescribeTable("takes less than 64 MiB", func(ctx SpecContext, query string, rows int, wrong func(id int64) string, expected string) {
			c, f := boot()
			var peak atomic.Uint64
			f.Answers(query, generated(rows, &peak, right))
			f.Node(2).Answers(query, generated(rows, &peak, wrong))
			var before runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)

			err := c.VerifyDataConsistency(ctx, query)

			Expect(float64(peak.Load())-float64(before.HeapAlloc)).To(BeNumerically("<", 64<<20), "bytes")
			if expected == "" {
				Expect(err).NotTo(HaveOccurred())
			} else {
				Expect(differs(err)).To(MatchError(MatchRegexp(expected)))
			}
		},
			Entry("to agree", longPatience, bagQuery, million, right, ""),
			Entry("to agree in order", longPatience, orderedQuery, million, right, ""),
			Entry("to find the row that differs", longPatience, bagQuery, million, func(id int64) string {
				if id == 765_432 {
					return "wrong"
				}
				return "some text"
			}, `column v: node 0 \(n0\) has 'some text', node 2 \(n2\) has 'wrong': the rows are \(765432, 'some text'\) .*: 1, only on `+
				`node 2 \(n2\): 1$`),
			Entry("to find that all differ", longPatience, bagQuery, million/4, func(int64) string { return "wrong" },
				`column v: node 0 \(n0\) has 'some text', node 2 \(n2\) has 'wrong'.* in the 1/\d+ of the keys that was read$`),
		)

		It("says that too much differs to name a row", func(ctx SpecContext) {
			c, f := boot(harness.Size(2))
			large := strings.Repeat("x", 1<<20)
			for i := range 2 {
				f.Node(i).Answers(bagQuery, fake.Stream("v", 20, func(row int) []any {
					return []any{large, int64(2*row + i)}
				}))
			}
			difference := differs(c.VerifyDataConsistency(ctx, bagQuery))
			Expect(difference.Kind).To(Equal(consistency.TooLarge))
			Expect(difference).To(MatchError(HaveSuffix("of 20 and of 20 rows some differ, too many or too large to be compared one by one")))
		}, patience)
	})
})
