package machine_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

var _ = Describe("A digest", func() {
	after := func(statements ...string) string {
		GinkgoHelper()
		n := open(machine.Options{})
		for _, sql := range statements {
			n.must(sql)
		}
		return n.digest()
	}

	DescribeTable("distinguishes", func(first, second string) {
		const tables = `CREATE TABLE t (v BLOB); CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (id INTEGER PRIMARY KEY);
			CREATE TABLE k (k BLOB PRIMARY KEY) WITHOUT ROWID; CREATE TABLE named (rowid, oid); CREATE NAMESPACE ns; ` +
			`CREATE TABLE auto (id INTEGER PRIMARY KEY AUTOINCREMENT)`
		Expect(after(tables, first)).NotTo(Equal(after(tables, second)))
		Expect(after(tables, first)).To(Equal(after(tables, first)))
	},
		Entry("1 and 1.0", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1.0)"),
		Entry("1 and '1'", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES ('1')"),
		Entry("'1' and x'31'", "INSERT INTO t VALUES ('1')", "INSERT INTO t VALUES (x'31')"),
		Entry("NULL and an empty text", "INSERT INTO t VALUES (NULL)", "INSERT INTO t VALUES ('')"),
		Entry("an empty text and an empty blob", "INSERT INTO t VALUES ('')", "INSERT INTO t VALUES (x'')"),
		Entry("0.0 and -0.0", "INSERT INTO t VALUES (0.0)", "INSERT INTO t VALUES (-0.0)"),
		Entry("neighbouring integers past 2^53", "INSERT INTO t VALUES (9007199254740992)", "INSERT INTO t VALUES (9007199254740993)"),
		Entry("where a value ends", "INSERT INTO t VALUES ('at1b'), ('')", "INSERT INTO t VALUES ('a'), ('b')"),
		Entry("rowids", "INSERT INTO t (rowid, v) VALUES (1, 1)", "INSERT INTO t (rowid, v) VALUES (2, 1)"),
		Entry("rowids behind columns of that name", "INSERT INTO named (_rowid_, rowid, oid) VALUES (1, 1, 1)",
			"INSERT INTO named (_rowid_, rowid, oid) VALUES (2, 1, 1)"),
		Entry("tables", "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (3)", "INSERT INTO a VALUES (1); INSERT INTO b VALUES (2), (3)"),
		Entry("tables without rowids", "INSERT INTO k VALUES (1)", "INSERT INTO k VALUES (1.5)"),
		Entry("the spelling of a definition", "CREATE TABLE u (v)", "CREATE TABLE u ( v)"),
		Entry("an index", "CREATE INDEX i ON t (v)", "SELECT 1"),
		Entry("a trigger", "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END", "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 2; END"),
		Entry("a namespace", "CREATE NAMESPACE x", "CREATE NAMESPACE y"),
		Entry("a sequence", "INSERT INTO auto VALUES (5); DELETE FROM auto", "INSERT INTO auto VALUES (6); DELETE FROM auto"),
	)

	It("does not depend on the page layout", func() {
		first, second := open(machine.Options{}), open(machine.Options{})
		first.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		first.must(fill)
		first.must("DELETE FROM t WHERE id % 3 = 0; INSERT INTO t (v) SELECT v FROM t LIMIT 100")
		want := first.digest()
		rows := first.read("SELECT id, v FROM t ORDER BY id")

		second.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		for i := len(rows) - 1; i >= 0; i -= 100 {
			for _, row := range rows[max(0, i-99) : i+1] {
				if row[0].(int64)%2 == 0 {
					second.must("INSERT INTO t VALUES (?, ?)", row...)
				}
			}
		}
		for _, row := range rows {
			if row[0].(int64)%2 == 1 {
				second.must("INSERT INTO t VALUES (?, ?)", row...)
			}
		}
		Expect(sum(second)).To(Equal(sum(first)))
		third := open(machine.Options{})
		third.restore(first.snapshot())
		Expect(third.digest()).To(Equal(want))
	})
})
