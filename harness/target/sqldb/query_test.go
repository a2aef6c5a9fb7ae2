package sqldb_test

import (
	"bytes"
	"fmt"
	"math"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

var _ = Describe("A request to SQLite", func() {
	var db *sqldb.DB

	BeforeEach(func(ctx SpecContext) {
		noLeaks()
		db = sqlite(GinkgoT().TempDir())
		Expect(run(ctx, db, "CREATE TABLE t (k INTEGER PRIMARY KEY, v)")).Error().NotTo(HaveOccurred())
	})

	It("gives back exactly the values that it was given", func(ctx SpecContext) {
		values := row(nil, int64(math.MinInt64), int64(math.MaxInt64), 0.1, math.Copysign(0, -1), math.MaxFloat64, "", "a\x00'ü", []byte{},
			[]byte{0, 255})
		for i, v := range values {
			Expect(run(ctx, db, "INSERT INTO t VALUES (?, ?)", int64(i), v)).Error().NotTo(HaveOccurred())
			got, err := run(ctx, db, "SELECT v FROM t WHERE k = ?", int64(i))
			Expect(err).NotTo(HaveOccurred())
			Expect(got).To(HaveLen(1))
			Expect(got[0]).To(Equal(row(v)))
			if f, is := v.(float64); is {
				Expect(math.Float64bits(got[0][0].(float64))).To(Equal(math.Float64bits(f)))
			}
		}
	})

	It("has equal encodings for equal rows and others for all other rows", func(ctx SpecContext) {
		var encodings [][]byte
		for _, sql := range []string{"1", "1.0", "'1'", "x'31'", "NULL", "''", "x''", "'1', NULL", "NULL, '1'", "'ab', 'c'", "'a', 'bc'", "0.0",
			"-0.0", "0"} {
			for range 2 {
				rows, err := db.Query(ctx, target.Request{SQL: "SELECT " + sql})
				Expect(err).NotTo(HaveOccurred())
				Expect(rows.NextResult() && rows.Next()).To(BeTrue())
				encodings = append(encodings, bytes.Clone(rows.Raw()))
				Expect(rows.Close()).To(Succeed())
			}
		}
		for i, a := range encodings {
			for j, b := range encodings {
				Expect(bytes.Equal(a, b)).To(Equal(i/2 == j/2), "rows %d and %d", i/2, j/2)
			}
		}
	})

	It("answers each of several statements in one transaction, with parameters in order", func(ctx SpecContext) {
		all, err := read(db.Query(ctx, target.Request{
			SQL: "INSERT INTO t VALUES (?, ?), (2, 'b'); SELECT k, v FROM t ORDER BY k; " +
				"UPDATE t SET v = ? WHERE k = ? RETURNING k, v; DELETE FROM t",
			Params: []any{int64(1), "a", "c", int64(2)},
		}))
		Expect(err).NotTo(HaveOccurred())
		Expect(all).To(HaveLen(4))
		Expect(all[0]).To(Equal(table{Affected: 2, Known: true}))
		Expect(all[1].Rows).To(Equal([][]any{{int64(1), "a"}, {int64(2), "b"}}))
		Expect(all[1].Columns).To(Equal([]target.Column{{Name: "k", Type: "INTEGER"}, {Name: "v", Type: ""}}))
		Expect(all[1].Known).To(BeFalse())
		Expect(all[2].Rows).To(Equal([][]any{{int64(2), "c"}}))
		Expect(all[2].Affected).To(BeEquivalentTo(1))
		Expect(all[3].Affected).To(BeEquivalentTo(2))
	})

	It("changes nothing if one of its statements fails, and says so", func(ctx SpecContext) {
		_, err := run(ctx, db, "INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (1, 2)")
		Expect(err).To(MatchError(target.ErrConstraint))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		_, err = run(ctx, db, "INSERT INTO t VALUES (1, 1); SELECT * FROM missing")
		Expect(err).To(MatchError(target.ErrNoSuchTable))
		Expect(run(ctx, db, "SELECT * FROM t")).To(BeEmpty())
	})

	DescribeTable("is refused with the reason, before anything happens",
		func(ctx SpecContext, request target.Request, kind error, reason string) {
			_, err := read(db.Query(ctx, request))
			Expect(err).To(MatchError(kind))
			Expect(err).To(MatchError(ContainSubstring(reason)))
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
			Expect(run(ctx, db, "SELECT * FROM t")).To(BeEmpty())
		},
		Entry("too few parameters", target.Request{SQL: "INSERT INTO t VALUES (1, ?); INSERT INTO t VALUES (2, ?)", Params: row("a")},
			target.ErrParams, "has 1 parameters, its statements need 2"),
		Entry("too many parameters", target.Request{SQL: "DELETE FROM t", Params: row("a")}, target.ErrParams, "need 0"),
		Entry("a parameter of another type", target.Request{SQL: "INSERT INTO t VALUES (1, ?)", Params: row(time.Time{})}, target.ErrParams,
			"time.Time"),
		Entry("no statement", target.Request{SQL: " ; -- nothing"}, target.ErrSyntax, "no statement"),
		Entry("text that ends early", target.Request{SQL: "SELECT 'a"}, target.ErrSyntax, "unterminated"),
		Entry("no SQL", target.Request{SQL: "INSERT INTO t VALUES (1, 1); nonsense"}, target.ErrSyntax, "syntax error"),
	)

	It("streams its rows, and is undone if the answer is closed early", func(ctx SpecContext) {
		endless := "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
		rows, err := db.Query(ctx, target.Request{SQL: "INSERT INTO t VALUES (1, 1); " + endless})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult() && !rows.Next() && rows.NextResult()).To(BeTrue())
		for range 1000 {
			Expect(rows.Next()).To(BeTrue())
		}
		Expect(rows.Row()).To(Equal(row(int64(1000))))
		Expect(rows.Close()).To(Succeed())
		Expect(run(ctx, db, "SELECT * FROM t")).To(BeEmpty())
	})

	It("skips the rows that its reader does not want", func(ctx SpecContext) {
		rows, err := db.Query(ctx, target.Request{SQL: "VALUES (1), (2), (3); INSERT INTO t VALUES (1, 1); SELECT count(*) FROM t"})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult() && rows.Next() && rows.NextResult()).To(BeTrue())
		Expect(rows.NextResult() && rows.Next()).To(BeTrue())
		Expect(rows.Row()).To(Equal(row(int64(1))))
		Expect(rows.Changed()).To(BeTrue())
		Expect(rows.NextResult()).To(BeFalse())
		Expect(rows.Err()).NotTo(HaveOccurred())
		Expect(rows.Close()).To(Succeed())
		Expect(run(ctx, db, "SELECT k FROM t")).To(HaveLen(1))
	})

	It("is not needed for a question in the database's own words", func(ctx SpecContext) {
		got, err := db.Ask(ctx, "SELECT name, ?1 + 1 FROM pragma_table_info('t') ORDER BY cid", int64(1))
		Expect(err).NotTo(HaveOccurred())
		Expect(got).To(Equal([][]any{row("k", int64(2)), row("v", int64(2))}))
		_, err = db.Ask(ctx, "SELECT nothing")
		Expect(err).To(MatchError(ContainSubstring("nothing")))
		Expect(run(ctx, db, "SELECT count(*) FROM t")).Error().NotTo(HaveOccurred())
	})

	It("is refused after Close", func(ctx SpecContext) {
		Expect(db.Ping(ctx)).To(Succeed())
		Expect(db.Close()).To(Succeed())
		_, err := run(ctx, db, "SELECT 1")
		Expect(err).To(MatchError(target.ErrUnreachable))
		Expect(db.Ping(ctx)).To(MatchError(target.ErrUnreachable))
		Expect(db.Begin(ctx, target.Serializable)).Error().To(MatchError(target.ErrUnreachable))
	})
})

var _ = Describe("A request that names a namespace", func() {
	It("fails for a table or for its namespace, and says which", func(ctx SpecContext) {
		noLeaks()
		db := sqlite(GinkgoT().TempDir(), func(o *sqldb.Options) { o.Dialect = dialect.Prefixes{} })
		Expect(db.Execute(ctx, dialect.Prefixes{}.Setup()...)).To(Succeed())
		Expect(run(ctx, db, "CREATE NAMESPACE ns; CREATE TABLE ns.t (v)")).Error().NotTo(HaveOccurred())
		for _, sql := range []string{"SELECT * FROM %s.missing", "INSERT INTO %s.missing VALUES (1)"} {
			_, err := run(ctx, db, fmt.Sprintf(sql, "ns"))
			Expect(err).To(MatchError(target.ErrNoSuchTable))
			_, err = run(ctx, db, fmt.Sprintf(sql, "other"))
			Expect(err).To(MatchError(target.ErrNoSuchNamespace))
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		}
		Expect(run(ctx, db, "DROP NAMESPACE ns CASCADE")).Error().NotTo(HaveOccurred())
		Expect(run(ctx, db, "SELECT * FROM ns.t")).Error().To(MatchError(target.ErrNoSuchNamespace))
	})
})
