package dedupe_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/dedupe"
	"github.com/rejoin-db/rejoin/harness/target/dialect"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

func TestDedupe(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Requests that are applied once")
}

// judge reads the errors of go-sqlite3, by their text: without cgo it has no type for them.
func judge(err error) sqldb.Verdict {
	switch {
	case strings.Contains(err.Error(), "constraint failed"):
		return sqldb.Verdict{Code: "CONSTRAINT", Kind: target.ErrConstraint, Outcome: target.NotApplied}
	case strings.Contains(err.Error(), "database is locked"):
		return sqldb.Verdict{Code: "BUSY", Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}
	}
	return sqldb.Verdict{}
}

const driver = "sqlite3"

func dsn(folder string) string {
	return "file:" + filepath.Join(folder, "test.db") + "?_busy_timeout=5000&_journal_mode=WAL"
}

// connection is SQLite by database/sql.
func connection(folder string) target.SQL {
	db, err := sqldb.Open(driver, dsn(folder), sqldb.Options{
		Node: "n0", Judge: judge, Begin: []string{"BEGIN IMMEDIATE"}, BeginReading: []string{"BEGIN"}, Once: dedupe.SQLite(),
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(db.Close)
	return db
}

// batches is SQLite behind a function that takes all statements at once, as an HTTP API does.
func batches(folder string) target.SQL {
	db, err := sql.Open(driver, dsn(folder))
	Expect(err).NotTo(HaveOccurred())
	db.SetMaxOpenConns(1)
	DeferCleanup(db.Close)
	send := func(ctx context.Context, _ target.Consistency, statements []dialect.Statement) (results []sqldb.Result, err error) {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return nil, err
		}
		defer tx.Rollback() // after a commit it does nothing
		for _, s := range statements {
			var result sqldb.Result
			if s.Returns {
				result.Rows, err = all(tx.QueryContext(ctx, s.SQL, s.Params...))
			} else {
				var done sql.Result
				if done, err = tx.ExecContext(ctx, s.SQL, s.Params...); err == nil {
					result.Affected, err = done.RowsAffected()
					result.Counted = s.Counts
				}
			}
			if err != nil {
				return nil, err
			}
			results = append(results, result)
		}
		return results, tx.Commit()
	}
	return sqldb.NewBatch(sqldb.Options{Node: "n0", Judge: judge}, send, dedupe.SQLite())
}

func all(rows *sql.Rows, err error) (out [][]any, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range into {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

var _ = Describe("A request with an ID", func() {
	for name, open := range map[string]func(string) target.SQL{"through a driver": connection, "in a batch": batches} {
		Context(name, func() {
			var db target.SQL

			send := func(ctx context.Context, id, text string, params ...any) (*sqldb.Answer, error) {
				return sqldb.Whole(db.Query(ctx, target.Request{SQL: text, Params: params, ID: id}))
			}

			BeforeEach(func(ctx SpecContext) {
				before := gleak.Goroutines()
				DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
				db = open(GinkgoT().TempDir())
				Expect(send(ctx, "", dedupe.SQLite().Setup())).Error().NotTo(HaveOccurred())
				Expect(send(ctx, "", "CREATE TABLE t (k INTEGER PRIMARY KEY, v)")).Error().NotTo(HaveOccurred())
			})

			count := func(ctx context.Context) any {
				n, err := sqldb.Value(ctx, db, "SELECT count(*) FROM t")
				Expect(err).NotTo(HaveOccurred())
				return n
			}

			It("is applied once, and has its first answer", func(ctx SpecContext) {
				const text = "INSERT INTO t (v) VALUES (?), (2); UPDATE t SET v = v + 1; CREATE TABLE IF NOT EXISTS u (v)"
				first, err := send(ctx, "a", text, int64(1))
				Expect(err).NotTo(HaveOccurred())
				Expect(first.Results).To(HaveLen(3))
				for range 2 {
					again, err := send(ctx, "a", text, int64(1))
					Expect(err).NotTo(HaveOccurred())
					for i, r := range again.Results {
						Expect(r.Affected).To(Equal(first.Results[i].Affected))
						Expect(r.Counted).To(Equal(first.Results[i].Counted))
					}
				}
				Expect(count(ctx)).To(BeEquivalentTo(2))
				Expect(dedupe.SQLite().Remembered(ctx, db)).To(Equal(map[string]bool{"a": true}))
			})

			It("is refused if its ID names another request, by its text or by a parameter", func(ctx SpecContext) {
				Expect(send(ctx, "a", "INSERT INTO t (v) VALUES (?)", int64(1))).Error().NotTo(HaveOccurred())
				for _, other := range []struct {
					text  string
					param any
				}{
					{"INSERT INTO t (v) VALUES (?)", int64(2)}, {"INSERT INTO t (v) VALUES (?)", 1.0}, {"INSERT INTO t (v) VALUES (?)", "1"},
					{"DELETE FROM t WHERE v = ?", int64(1)},
				} {
					_, err := send(ctx, "a", other.text, other.param)
					Expect(err).To(MatchError(target.ErrKeyReused))
					Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
				}
				Expect(count(ctx)).To(BeEquivalentTo(1))
			})

			It("is not remembered if it failed", func(ctx SpecContext) {
				_, err := send(ctx, "a", "INSERT INTO t VALUES (1, 1), (1, 2)")
				Expect(err).To(MatchError(target.ErrConstraint))
				Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
				Expect(send(ctx, "a", "INSERT INTO t VALUES (1, 1)")).Error().NotTo(HaveOccurred())
				Expect(count(ctx)).To(BeEquivalentTo(1))
			})

			It("is applied once when it is sent many times at once", func(ctx SpecContext) {
				var wg sync.WaitGroup
				errs := make([]error, 8)
				for i := range errs {
					wg.Go(func() { _, errs[i] = send(ctx, "a", "INSERT INTO t (v) VALUES (1)") })
				}
				wg.Wait()
				for _, err := range errs {
					Expect(target.OutcomeOf(err)).To(Equal(target.Applied), "%v", err)
				}
				Expect(count(ctx)).To(BeEquivalentTo(1))
			})

			It("leaves no trace if it only reads", func(ctx SpecContext) {
				Expect(send(ctx, "a", "SELECT 1")).Error().NotTo(HaveOccurred())
				Expect(dedupe.SQLite().Remembered(ctx, db)).To(BeEmpty())
			})
		})
	}

	It("has its rows again, with every value, unless they were too large", func(ctx SpecContext) {
		db := connection(GinkgoT().TempDir())
		send := func(id, text string, params ...any) (*sqldb.Answer, error) {
			return sqldb.Whole(db.Query(ctx, target.Request{SQL: text, Params: params, ID: id}))
		}
		Expect(send("", dedupe.SQLite().Setup()+"; CREATE TABLE t (k INTEGER PRIMARY KEY, v)")).Error().NotTo(HaveOccurred())
		const text = "INSERT INTO t (v) VALUES (?), (?), (?), (?), (?) RETURNING k, v"
		values := []any{nil, int64(-1), 0.1, "\xffü", []byte{}}
		first, err := send("a", text, values...)
		Expect(err).NotTo(HaveOccurred())
		Expect(first.Results[0].Rows).To(HaveLen(5))
		Expect(send("a", text, values...)).To(Equal(first))

		large := "INSERT INTO t (v) VALUES ('" + strings.Repeat("x", sqldb.LargestKept) + "') RETURNING v"
		Expect(send("b", large)).Error().NotTo(HaveOccurred())
		_, err = send("b", large)
		Expect(err).To(MatchError(target.ErrAnswerGone))
		Expect(target.OutcomeOf(err)).To(Equal(target.Applied))
	})

	It("of a batch says that it was applied where its rows are not kept", func(ctx SpecContext) {
		db := batches(GinkgoT().TempDir())
		send := func(id, text string) error {
			_, err := sqldb.Whole(db.Query(ctx, target.Request{SQL: text, ID: id}))
			return err
		}
		Expect(send("", dedupe.SQLite().Setup()+"; CREATE TABLE t (k INTEGER PRIMARY KEY, v)")).To(Succeed())
		Expect(send("a", "INSERT INTO t (v) VALUES (1) RETURNING k")).To(Succeed())
		err := send("a", "INSERT INTO t (v) VALUES (1) RETURNING k")
		Expect(err).To(MatchError(target.ErrAnswerGone))
		Expect(target.OutcomeOf(err)).To(Equal(target.Applied))
	})
})
