package sqldb_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

var _ = Describe("A database that does not wait by itself", func() {
	var folder string
	var other target.Transaction

	waiting := func(o *sqldb.Options) {
		o.Timeout = time.Second
		o.InTheWay = func(err error) bool { return judge(err).Kind == target.ErrConflict }
	}

	BeforeEach(func(ctx SpecContext) {
		noLeaks()
		folder = GinkgoT().TempDir()
		db := sqlite(folder)
		Expect(run(ctx, db, "CREATE TABLE t (v)")).Error().NotTo(HaveOccurred())
		var err error
		other, err = db.Begin(ctx, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		Expect(run(ctx, other, "INSERT INTO t VALUES (1)")).Error().NotTo(HaveOccurred())
	})

	It("refuses a request while another transaction is open", func(ctx SpecContext) {
		Expect(run(ctx, sqlite(folder), "INSERT INTO t VALUES (2)")).Error().To(MatchError(target.ErrConflict))
		Expect(other.Rollback(ctx)).To(Succeed())
	})

	It("executes the request after the other transaction, where that is in the way", func(ctx SpecContext) {
		db, done := sqlite(folder, waiting), make(chan error, 1)
		go func() {
			_, err := run(ctx, db, "INSERT INTO t VALUES (2)")
			done <- err
		}()
		Consistently(ctx, done).WithTimeout(50 * time.Millisecond).ShouldNot(Receive())
		Expect(other.Commit(ctx)).To(Succeed())
		Eventually(ctx, done).Should(Receive(BeNil()))
		Expect(run(ctx, db, "SELECT v FROM t ORDER BY v")).To(Equal([][]any{{int64(1)}, {int64(2)}}))
	})

	It("refuses the request when the other transaction stays", func(ctx SpecContext) {
		Expect(run(ctx, sqlite(folder, waiting), "INSERT INTO t VALUES (2)")).Error().To(MatchError(target.ErrConflict))
		Expect(other.Rollback(ctx)).To(Succeed())
	})
})

var _ = Describe("BeforeCommit", func() {
	It("counts the transactions that change data", func(ctx SpecContext) {
		noLeaks()
		folder := GinkgoT().TempDir()
		Expect(sqlite(folder).Execute(ctx, "CREATE TABLE counted (n)", "INSERT INTO counted VALUES (0)", "CREATE TABLE t (v)")).To(Succeed())
		db := sqlite(folder, func(o *sqldb.Options) { o.BeforeCommit = []string{"UPDATE counted SET n = n + 1"} })
		count := func() any {
			GinkgoHelper()
			n, err := sqldb.Value(ctx, db, "SELECT n FROM counted")
			Expect(err).NotTo(HaveOccurred())
			return n
		}
		Expect(run(ctx, db, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)")).Error().NotTo(HaveOccurred())
		Expect(count()).To(Equal(int64(1)))
		Expect(run(ctx, db, "SELECT * FROM t; SELECT * FROM t")).Error().NotTo(HaveOccurred())
		Expect(run(ctx, db, "INSERT INTO nothing VALUES (1)")).Error().To(HaveOccurred())
		Expect(count()).To(Equal(int64(1)))

		reading, err := db.Begin(ctx, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		Expect(run(ctx, reading, "SELECT * FROM t")).To(HaveLen(2))
		Expect(reading.Commit(ctx)).To(Succeed())
		Expect(count()).To(Equal(int64(1)))
		writing, err := db.Begin(ctx, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		Expect(run(ctx, writing, "INSERT INTO t VALUES (3)")).Error().NotTo(HaveOccurred())
		Expect(writing.Commit(ctx)).To(Succeed())
		Expect(count()).To(Equal(int64(2)))
	})
})

var _ = DescribeTable("An error of SQLite is read by its code, and by its message where the code says nothing",
	func(code int, message string, expected sqldb.Verdict) {
		Expect(sqldb.SQLite(code, message)).To(Equal(expected))
	},
	Entry(nil, 5, "database is locked",
		sqldb.Verdict{Code: "SQLITE_5", Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}),
	Entry(nil, 517, "database is locked",
		sqldb.Verdict{Code: "SQLITE_517", Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}),
	Entry(nil, 2067, "UNIQUE constraint failed: t.k",
		sqldb.Verdict{Code: "SQLITE_2067", Kind: target.ErrConstraint, Outcome: target.NotApplied}),
	Entry(nil, 10, "disk I/O error", sqldb.Verdict{Code: "SQLITE_10", Outcome: target.Unknown}),
	Entry(nil, 1, "no such table: t", sqldb.Verdict{Code: "SQLITE_1", Kind: target.ErrNoSuchTable, Outcome: target.NotApplied}),
	Entry(nil, 1, `near "SELCT": syntax error`, sqldb.Verdict{Code: "SQLITE_1", Kind: target.ErrSyntax, Outcome: target.NotApplied}),
	Entry(nil, 11, "database disk image is malformed", sqldb.Verdict{Code: "SQLITE_11", Outcome: target.NotApplied}),
)
