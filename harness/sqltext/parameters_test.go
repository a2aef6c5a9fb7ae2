package sqltext_test

import (
	"database/sql/driver"
	"testing"

	"github.com/mattn/go-sqlite3"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// countedBySQLite returns the number of parameters that SQLite counts in a statement.
func countedBySQLite(conn driver.Conn, sql string) (int, error) {
	stmt, err := conn.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	return stmt.NumInput(), nil
}

var _ = DescribeTable("The number of parameters of",
	func(sql string, want int) {
		conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(conn.Close)
		statement := sqltext.Statement{Text: sql}
		Expect(statement.Parameters()).To(Equal(want))
		rewritten, err := statement.Qualify(known)
		Expect(err).NotTo(HaveOccurred())
		Expect(countedBySQLite(conn, rewritten)).To(Equal(want), "by SQLite's count")
	},
	EntryDescription("%[1]s"),
	Entry(nil, "SELECT 1", 0),
	Entry(nil, "SELECT ?, ?", 2),
	Entry(nil, "SELECT ?3, ?", 4),
	Entry(nil, "SELECT ?, ?1, ?1", 1),
	Entry(nil, "SELECT $2, $1, ?", 3),
	Entry(nil, "SELECT $2, ?2, $02", 2),
	Entry(nil, "SELECT :a, :a, @a, $a, :A", 4),
	Entry(nil, "SELECT :a, ?, :a, ?4, :b", 5),
	Entry(nil, "SELECT $a::b(c)", 1),
	Entry(nil, "SELECT '?', \"?\", `?`, [?] /* ? */ -- ?\n FROM (SELECT 1 AS \"?\")", 0),
	Entry(nil, "EXPLAIN SELECT ?", 1),
	Entry(nil, "WITH c AS (SELECT ?) SELECT ? FROM c WHERE ? LIMIT ?", 4),
)

var _ = It("Several statements have the sum of their parameters", func() {
	statements, err := sqltext.Split("INSERT INTO t VALUES (?, ?); CREATE NAMESPACE ns; SELECT $2; ;")
	Expect(err).NotTo(HaveOccurred())
	Expect(sqltext.Parameters(statements)).To(Equal(4))
})

// FuzzParameters compares the count with SQLite's, where SQLite can prepare the text.
func FuzzParameters(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	for _, s := range []string{"SELECT ?, ?7, :a, :a, @a, $a, $3, $a::b, ?", "SELECT $0", "SELECT ?0", "SELECT ?00002, $00003",
		"SELECT :1, @1, $1a", "SELECT #1"} {
		f.Add(s)
	}
	conn, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	if err != nil {
		f.Fatal(err)
	}
	defer conn.Close()
	f.Fuzz(func(t *testing.T, sql string) {
		statements, err := sqltext.Split(sql)
		if err != nil || len(statements) != 1 || statements[0].Kind != sqltext.Other {
			return
		}
		text, err := statements[0].Qualify(func(string) bool { return true })
		if err != nil {
			return
		}
		want, err := countedBySQLite(conn, text)
		if err != nil {
			return
		}
		if got := statements[0].Parameters(); got != want {
			t.Fatalf("%q has %d parameters by SQLite's count, %d by ours", text, want, got)
		}
	})
}
