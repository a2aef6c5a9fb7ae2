package sqldb_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

var _ = Describe("An interactive transaction", func() {
	var db *sqldb.DB

	begin := func(ctx context.Context) target.Transaction {
		GinkgoHelper()
		t, err := db.Begin(ctx, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		return t
	}

	BeforeEach(func(ctx SpecContext) {
		noLeaks()
		db = sqlite(GinkgoT().TempDir())
		Expect(run(ctx, db, "CREATE TABLE t (k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 1)")).Error().NotTo(HaveOccurred())
	})

	It("shows its changes to itself, and to others after its commit", func(ctx SpecContext) {
		t := begin(ctx)
		Expect(run(ctx, t, "UPDATE t SET v = ? RETURNING v", int64(2))).To(Equal([][]any{{int64(2)}}))
		Expect(run(ctx, t, "SELECT v FROM t")).To(Equal([][]any{{int64(2)}}))
		Expect(run(ctx, db, "SELECT v FROM t")).To(Equal([][]any{{int64(1)}}))
		Expect(t.Commit(ctx)).To(Succeed())
		Expect(run(ctx, db, "SELECT v FROM t")).To(Equal([][]any{{int64(2)}}))
		Expect(t.Rollback(ctx)).To(Succeed(), "a rollback after the commit does nothing")
		Expect(run(ctx, t, "SELECT 1")).Error().To(MatchError(ContainSubstring("has ended")))
		Expect(target.OutcomeOf(t.Commit(ctx))).To(Equal(target.NotApplied))
	})

	It("leaves nothing after its rollback, and goes on after a statement that failed", func(ctx SpecContext) {
		t := begin(ctx)
		Expect(run(ctx, t, "INSERT INTO t VALUES (2, 2)")).Error().NotTo(HaveOccurred())
		Expect(run(ctx, t, "INSERT INTO t VALUES (2, 2)")).Error().To(MatchError(target.ErrConstraint))
		Expect(run(ctx, t, "SELECT count(*) FROM t")).To(Equal([][]any{{int64(2)}}))
		Expect(t.Rollback(ctx)).To(Succeed())
		Expect(run(ctx, db, "SELECT count(*) FROM t")).To(Equal([][]any{{int64(1)}}))
	})

	It("conflicts with another one that changed what it has read", func(ctx SpecContext) {
		first, second := begin(ctx), begin(ctx)
		for _, t := range []target.Transaction{first, second} {
			Expect(run(ctx, t, "SELECT v FROM t")).To(HaveLen(1))
		}
		Expect(run(ctx, first, "UPDATE t SET v = v + 1")).Error().NotTo(HaveOccurred())
		Expect(first.Commit(ctx)).To(Succeed())
		Expect(run(ctx, second, "UPDATE t SET v = v + 1")).Error().To(MatchError(target.ErrConflict))
		Expect(second.Rollback(ctx)).To(Succeed())
		Expect(run(ctx, db, "SELECT v FROM t")).To(Equal([][]any{{int64(2)}}))
	})

	It("stays usable when an answer is closed before its last row", func(ctx SpecContext) {
		t := begin(ctx)
		rows, err := t.Query(ctx, target.Request{SQL: "VALUES (1), (2), (3)"})
		Expect(err).NotTo(HaveOccurred())
		Expect(t.Query(ctx, target.Request{SQL: "SELECT 1"})).Error().To(MatchError(ContainSubstring("not closed")))
		Expect(rows.NextResult() && rows.Next()).To(BeTrue())
		Expect(rows.Close()).To(Succeed())
		Expect(run(ctx, t, "SELECT count(*) FROM t")).To(HaveLen(1))
		Expect(t.Commit(ctx)).To(Succeed())
	})

	It("is rolled back when the context of a statement ends", func(ctx SpecContext) {
		t := begin(ctx)
		Expect(run(ctx, t, "UPDATE t SET v = 5")).Error().NotTo(HaveOccurred())
		brief, cancel := context.WithCancel(ctx)
		rows, err := t.Query(brief, target.Request{SQL: "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult() && rows.Next()).To(BeTrue())
		cancel()
		for rows.Next() {
		}
		Expect(rows.NextResult()).To(BeFalse())
		Expect(rows.Err()).To(HaveOccurred())
		Expect(rows.Close()).To(Succeed())
		err = t.Commit(ctx)
		Expect(err).To(MatchError(target.ErrConflict))
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
		Expect(t.Rollback(ctx)).To(Succeed())
		Expect(run(ctx, db, "SELECT v FROM t")).To(Equal([][]any{{int64(1)}}))
	})

	It("is refused at a level that the database does not have", func(ctx SpecContext) {
		Expect(db.Isolations()).To(Equal([]target.Isolation{target.Serializable}))
		Expect(db.Begin(ctx, target.Snapshot)).Error().To(MatchError(ContainSubstring(`"snapshot" is not one of ["serializable"]`)))
	})

	It("is rolled back when its DB is closed", func(ctx SpecContext) {
		folder := GinkgoT().TempDir()
		db = sqlite(folder)
		Expect(run(ctx, db, "CREATE TABLE t (v)")).Error().NotTo(HaveOccurred())
		t := begin(ctx)
		Expect(run(ctx, t, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
		Expect(db.Close()).To(Succeed())
		Expect(target.OutcomeOf(t.Commit(ctx))).To(Equal(target.NotApplied))
		Expect(t.Rollback(ctx)).To(Succeed())
		Expect(run(ctx, sqlite(folder), "SELECT * FROM t")).To(BeEmpty())
	})
})
