package sqldb_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

func TestSQLDB(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "database/sql as a target")
}

// noLeaks fails the spec if a goroutine is left after its cleanups so far.
func noLeaks() {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
}

// judge reads the errors of go-sqlite3, by their text: without cgo it has no type for them.
func judge(err error) sqldb.Verdict {
	for text, v := range map[string]sqldb.Verdict{
		"database is locked": {Code: "BUSY", Kind: target.ErrConflict, Temporary: true},
		"constraint failed":  {Code: "CONSTRAINT", Kind: target.ErrConstraint},
		"no such table":      {Code: "TABLE", Kind: target.ErrNoSuchTable},
		"syntax error":       {Code: "SYNTAX", Kind: target.ErrSyntax},
	} {
		if strings.Contains(err.Error(), text) {
			v.Outcome = target.NotApplied
			return v
		}
	}
	return sqldb.Verdict{}
}

// sqlite opens a DB on a file that all DBs of the spec share.
func sqlite(folder string, change ...func(*sqldb.Options)) *sqldb.DB {
	GinkgoHelper()
	options := sqldb.Options{
		Node: "n0", Judge: judge, Begin: []string{"BEGIN IMMEDIATE"}, BeginReading: []string{"BEGIN"},
		Levels: map[target.Isolation][]string{target.Serializable: {"BEGIN"}},
	}
	for _, c := range change {
		c(&options)
	}
	db, err := sqldb.Open("sqlite3", "file:"+filepath.Join(folder, "test.db")+"?_busy_timeout=0&_journal_mode=WAL", options)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(db.Close)
	return db
}

// table is one result of an answer.
type table struct {
	Columns  []target.Column
	Rows     [][]any
	Affected int64
	Known    bool
}

// read returns a whole answer.
func read(rows target.Rows, err error) ([]table, error) {
	if err != nil {
		return nil, err
	}
	var all []table
	for rows.NextResult() {
		t := table{Columns: rows.Columns()}
		for rows.Next() {
			row, err := rows.Row()
			Expect(err).NotTo(HaveOccurred())
			t.Rows = append(t.Rows, row)
		}
		t.Affected, t.Known = rows.Affected()
		all = append(all, t)
	}
	Expect(rows.Close()).To(Succeed())
	return all, rows.Err()
}

// run executes a request and returns the rows of its last result.
func run(ctx context.Context, db target.SQL, sql string, params ...any) ([][]any, error) {
	all, err := read(db.Query(ctx, target.Request{SQL: sql, Params: params}))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[len(all)-1].Rows, nil
}

// row is a row for comparison.
func row(values ...any) []any { return values }
