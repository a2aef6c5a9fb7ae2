package specs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// difference is a pair of answers that a comparison must tell apart. Both come from the
// database, over the wire.
type difference struct {
	name       string
	one, other string // the rows, as a table
	inOrder    bool   // whether they differ in the order of rows only
}

// rows is SQL for rows, as VALUES has them.
func rows(values string) string {
	return "SELECT column1 AS a, column2 AS b FROM (VALUES " + values + ")"
}

// many is SQL for many rows, one of which differs.
func many(other int) string {
	const form = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i AS a, CASE i WHEN %d THEN " +
		"'other' ELSE 'same' END AS b FROM n"
	return fmt.Sprintf(form, other)
}

// longText is SQL for a text of 70,000 characters, the last of which is given.
func longText(last string) string {
	return "SELECT 1 AS a, printf('%.*c', 69999, 'x') || '" + last + "' AS b"
}

var differences = []difference{
	{name: "an integer and a float", one: rows("(1, 1)"), other: rows("(1, 1.0)")},
	{name: "an integer and a text", one: rows("(1, 1)"), other: rows("(1, '1')")},
	{name: "a float and a text", one: rows("(1, 1.0)"), other: rows("(1, '1.0')")},
	{name: "a text and a blob", one: rows("(1, '1')"), other: rows("(1, x'31')")},
	{name: "NULL and an empty text", one: rows("(1, NULL)"), other: rows("(1, '')")},
	{name: "NULL and zero", one: rows("(1, NULL)"), other: rows("(1, 0)")},
	{name: "an empty text and an empty blob", one: rows("(1, '')"), other: rows("(1, x'')")},
	{name: "zero and minus zero", one: rows("(1, 0.0)"), other: rows("(1, -0.0)")},
	{name: "infinities", one: rows("(1, 9e999)"), other: rows("(1, -9e999)")},
	{name: "integers past 2^53", one: rows("(1, 9007199254740992)"), other: rows("(1, 9007199254740993)")},
	{name: "the case of letters", one: rows("(1, 'a')"), other: rows("(1, 'A')")},
	{name: "a space at the end", one: rows("(1, 'a')"), other: rows("(1, 'a ')")},
	{name: "a zero byte", one: rows("(1, 'a')"), other: rows("(1, CAST(x'6100' AS TEXT))")},
	{name: "the last byte of a long text", one: longText("y"), other: longText("z")},
	{name: "where a value ends", one: rows("('a', 'bc')"), other: rows("('ab', 'c')")},
	{name: "the first column", one: rows("(1, 2)"), other: rows("(3, 2)")},
	{name: "columns that are swapped", one: rows("(1, 2)"), other: rows("(2, 1)")},
	{name: "columns that are swapped between rows", one: rows("(1, 'x'), (2, 'y')"), other: rows("(1, 'y'), (2, 'x')")},
	{name: "the first row missing", one: rows("(1, 1), (2, 2), (3, 3)"), other: rows("(2, 2), (3, 3)")},
	{name: "a row in the middle missing", one: rows("(1, 1), (2, 2), (3, 3)"), other: rows("(1, 1), (3, 3)")},
	{name: "the last row missing", one: rows("(1, 1), (2, 2), (3, 3)"), other: rows("(1, 1), (2, 2)")},
	{name: "a row more", one: rows("(1, 1), (2, 2)"), other: rows("(1, 1), (2, 2), (2, 3)")},
	{name: "a row twice", one: rows("(1, 1), (2, 2)"), other: rows("(1, 1), (2, 2), (2, 2)")},
	{name: "which of two rows is there twice", one: rows("(1, 1), (1, 1), (2, 2)"), other: rows("(1, 1), (2, 2), (2, 2)")},
	{name: "two rows that are the same", one: rows("(1, 1), (1, 1)"), other: rows("(2, 2), (2, 2)")},
	{name: "no rows", one: rows("(1, 1)"), other: rows("(1, 1)") + " WHERE a > 1"},
	{name: "one row of many", one: many(0), other: many(250)},
	{name: "the last row of many", one: many(0), other: many(500)},
	{name: "the name of a column", one: "SELECT 1 AS a, 2 AS b", other: "SELECT 1 AS a, 2 AS c"},
	{name: "the name of a column without rows", one: "SELECT 1 AS a, 2 AS b WHERE 0", other: "SELECT 1 AS a, 2 AS c WHERE 0"},
	{name: "a column more", one: "SELECT 1 AS a, 2 AS b", other: "SELECT 1 AS a, 2 AS b, NULL AS c"},
	{name: "the order of rows", one: rows("(1, 1), (1, 2)"), other: rows("(1, 2), (1, 1)"), inOrder: true},
}

// comparing are specs about VerifyDataConsistency: it must find every kind of difference, on
// each node.
func comparing(env *environment) {
	Describe("Comparing nodes", Label("suite:comparing", "needs:sqlite"), func() {
		var say *told
		var cluster *harness.Cluster

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.SQLite)
			say = &told{}
			cluster = env.hearing(ctx, say)
		})

		// seen expects an error that names the node and another one.
		seen := func(err error, node int, what string) {
			GinkgoHelper()
			var found *harness.InconsistencyError
			Expect(errors.As(err, &found)).To(BeTrue(), "%s on node %d: %v", what, node, err)
			Expect([]int{found.A.Node, found.B.Node}).To(ContainElement(node), "%s on node %d: %v", what, node, err)
			Expect(found.A.Node).NotTo(Equal(found.B.Node), what)
		}

		// ordered is the query with an ORDER BY that keeps the order of its rows.
		ordered := func(sql string) string {
			if strings.Contains(sql, "ORDER BY") {
				return sql
			}
			return sql + " ORDER BY NULL"
		}

		It("finds every kind of difference, on any node", func(ctx SpecContext) {
			for _, d := range differences {
				for _, inOrder := range []bool{false, true} {
					one, other := d.one, d.other
					switch {
					case !inOrder && d.inOrder:
						continue
					case inOrder:
						one, other = ordered(one), ordered(other)
					}
					say.request = nil
					Expect(cluster.VerifyDataConsistency(ctx, one)).To(Succeed(), d.name)
					for _, node := range env.cluster.Nodes() {
						say.request = instead(node.Index(), one, other)
						seen(cluster.VerifyDataConsistency(ctx, one), node.Index(), d.name)
					}
				}
			}
		}, env.patience)

		It("ignores the order of rows without an ORDER BY", func(ctx SpecContext) {
			one, other := rows("(1, 1), (1, 2), (1, 2)"), rows("(1, 2), (1, 1), (1, 2)")
			for _, node := range env.cluster.Nodes() {
				say.request = instead(node.Index(), one, other)
				Expect(cluster.VerifyDataConsistency(ctx, one)).To(Succeed())
				inner := "SELECT * FROM (" + one + " ORDER BY b)"
				say.request = instead(node.Index(), inner, "SELECT * FROM ("+one+" ORDER BY b DESC)")
				Expect(cluster.VerifyDataConsistency(ctx, inner)).To(Succeed(), "an ORDER BY of a subquery does not order the answer")
			}
		}, env.patience)

		It("names the row, the column and both values", func(ctx SpecContext) {
			one := rows("(1, 'x'), (2, 'y')")
			say.request = instead(2, one, rows("(1, 'x'), (2, 'z')"))
			Expect(cluster.VerifyDataConsistency(ctx, one)).To(MatchError(And(
				ContainSubstring("node 0 (n0) and node 2 (n2) differ"), ContainSubstring("column b: node 0 (n0) has 'y', node 2 (n2) has 'z'"))))
			one = ordered(one)
			say.request = instead(1, one, ordered(rows("(1, 'x'), (2, 'z')")))
			Expect(cluster.VerifyDataConsistency(ctx, one)).To(MatchError(And(
				ContainSubstring("node 0 (n0) and node 1 (n1) differ"), ContainSubstring("row 2, column b"))))
		}, env.patience)

		It("works the same as a matcher, for each of its queries", func(ctx SpecContext) {
			one, other := rows("(1, 1)"), rows("(1, 2)")
			for _, queries := range [][]string{{one}, {one, other}, {other, one}} {
				say.request = nil
				Expect(BeConsistent(queries...).Match(cluster)).To(BeTrue())
				Expect(BeConsistent(queries...).Match(cluster.AsIs())).To(BeTrue())
				for _, node := range env.cluster.Nodes() {
					say.request = instead(node.Index(), one, other)
					Expect(BeConsistent(queries...).Match(cluster)).To(BeFalse())
					Expect(BeConsistent(queries...).Match(cluster.AsIs())).To(BeFalse())
				}
			}
		}, env.patience)

		It("fails if a node does not answer or there is nothing to compare", func(ctx SpecContext) {
			one := rows("(1, 1)")
			for _, node := range env.cluster.Nodes() {
				for _, wrong := range []string{"SELECT", "SELECT * FROM no_such_table", one + "; " + one, "SELECT json_extract('{', '$')"} {
					say.request = instead(node.Index(), one, wrong)
					Expect(cluster.VerifyDataConsistency(ctx, one)).NotTo(Succeed(), "node %d was asked %s", node.Index(), wrong)
				}
			}
			say.request = nil
			for _, none := range []string{one + "; " + one, "CREATE TABLE never_made (v)", "DELETE FROM rejoin_namespaces", ""} {
				Expect(cluster.VerifyDataConsistency(ctx, none)).NotTo(Succeed(), none)
			}
			Expect(env.run(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'never_made'")).To(
				HaveRows(Row(0)), "a comparison has changed the database")
		}, env.patience)

		It("asks each node for its own state at any consistency", func(ctx SpecContext) {
			one := rows("(1, 1)")
			var asked counted
			say.request = func(node int, request target.Request) target.Request {
				if request.SQL == one && request.Consistency == target.Local {
					asked.next(node)
				}
				return request
			}
			Expect(cluster.Reading(target.Strong).VerifyDataConsistency(ctx, one)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				Expect(asked.of(node.Index())).To(Equal(1), "%s was not asked once for its own state", node)
			}
		}, env.patience)

		It("waits for nodes that are behind, unless told to compare as they are", func(ctx SpecContext) {
			const silent = 4
			one, other := rows("(1, 1)"), rows("(1, 2)")
			for _, node := range env.cluster.Nodes() {
				var looks counted
				behind := func() bool { return looks.of(node.Index()) <= silent }
				say.status = func(at int, s target.Status) target.Status {
					if at == node.Index() && looks.next(at) <= silent {
						s.AppliedIndex--
					}
					return s
				}
				say.request = func(at int, request target.Request) target.Request {
					if at == node.Index() && behind() && request.SQL == one {
						request.SQL = other
					}
					return request
				}
				seen(cluster.AsIs().VerifyDataConsistency(ctx, one), node.Index(), "behind")
				Expect(behind()).To(BeTrue(), "it waited for %s", node)
				Expect(cluster.VerifyDataConsistency(ctx, one)).To(Succeed())
				Expect(behind()).To(BeFalse(), "it did not wait for %s", node)
				looks = counted{}
				say.request = nil
				Expect(cluster.VerifyDataConsistency(ctx, one)).To(Succeed())
				Expect(behind()).To(BeFalse(), "it did not wait for %s, whose answer is equal", node)
				say.status = nil
			}
		}, env.patience)

		It("does not report a difference while a node applies entries", func(ctx SpecContext) {
			one, other := ordered(rows("(1, 1)")), ordered(rows("(1, 2)"))
			for _, node := range env.cluster.Nodes() {
				var looks, asks counted
				differs := func(int) bool { return asks.next(node.Index()) <= 2 }
				say.status = func(at int, s target.Status) target.Status {
					if at == node.Index() {
						s.AppliedIndex += uint64(looks.next(at))
					}
					return s
				}
				say.request = func(at int, request target.Request) target.Request {
					if at == node.Index() && request.SQL == one && differs(at) {
						request.SQL = other
					}
					return request
				}
				Expect(cluster.VerifyDataConsistency(ctx, one)).To(Succeed(), "%s applied entries", node)
				Expect(asks.of(node.Index())).To(Equal(3), "requests to %s", node)

				differs = func(int) bool { return true }
				short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
				err := cluster.VerifyDataConsistency(short, one)
				cancel()
				Expect(err).To(HaveOccurred())
				_, found := err.(*harness.InconsistencyError) //nolint:errorlint // one within another is none that counts
				Expect(found).To(BeFalse(), "%v", err)
				say.status, say.request = nil, nil
			}
		}, env.patience)

		It("finds a difference among online nodes, and ignores offline ones", Label("fault:isolate"), func(ctx SpecContext) {
			one, other := rows("(1, 1)"), rows("(1, 2)")
			Expect(cluster.TakeNodeOffline(ctx, 0)).To(Succeed())
			for _, node := range env.others(0) {
				say.request = instead(node, one, other)
				env.eventually(ctx, func(ctx context.Context) error { return cluster.AsIs().VerifyDataConsistency(ctx, one) }).Should(
					MatchError(ContainSubstring("node 1 (n1) and node 2 (n2) differ")))
			}
			say.request = instead(0, one, other)
			Expect(cluster.VerifyDataConsistency(ctx, one)).To(Succeed())
			Expect(cluster.Heal(ctx)).To(Succeed())
			seen(cluster.VerifyDataConsistency(ctx, one), 0, "back")
		}, env.patience)
	})
}
