package machine_test

import (
	"context"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

var _ = Describe("A statement is refused that", func() {
	const reserved = "names that start with rejoin_ belong to the database itself"

	DescribeTable("would make nodes differ", func(sql, reason string) {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE VIEW w AS SELECT * FROM rejoin_requests")
		n.must("CREATE TRIGGER wi INSTEAD OF INSERT ON w BEGIN INSERT INTO rejoin_requests VALUES (new.log_index, new.id, new.answer, new.large, new.time, new.packed); END")
		n.must("CREATE TRIGGER ti AFTER INSERT ON t WHEN new.v = 1 BEGIN UPDATE rejoin_applied SET log_index = 1000; END")
		n.must("CREATE TRIGGER td AFTER DELETE ON t BEGIN SELECT load_extension('x'); END")
		before := n.read("SELECT * FROM rejoin_applied, sqlite_schema")
		files, err := os.ReadDir(n.dir)
		Expect(err).NotTo(HaveOccurred())

		for _, text := range []string{sql, "/* a comment */ " + sql, "-- another\n\t;;" + sql + " -- and one more", "SELECT 1; " + sql} {
			err := n.do(text).Err
			Expect(err).To(MatchError(sqlite.ErrRefused), text)
			Expect(err).To(MatchError(ContainSubstring(reason)), text)
		}
		Expect(n.Failed()).NotTo(HaveOccurred())
		n.must("UPDATE t SET v = 1")
		after := n.read("SELECT * FROM rejoin_applied, sqlite_schema")
		for i := range before {
			before[i][1] = after[i][1] // the index
		}
		Expect(after).To(Equal(before))
		Expect(os.ReadDir(n.dir)).To(HaveLen(len(files)))
	},
		Entry(nil, "ATTACH 'other.db' AS other", "ATTACH is refused: it reaches outside"),
		Entry(nil, "aTTaCh ':memory:' AS other", "ATTACH is refused"),
		Entry(nil, "DETACH main", "DETACH is refused"),
		Entry(nil, "PRAGMA user_version = 7", "PRAGMA user_version is refused"),
		Entry(nil, "pragma foreign_keys = off", "PRAGMA foreign_keys is refused"),
		Entry(nil, "PRAGMA main.journal_mode(DELETE)", "PRAGMA journal_mode is refused"),
		Entry(nil, "SELECT * FROM pragma_user_version", "PRAGMA user_version is refused"),
		Entry(nil, "CREATE TABLE x AS SELECT file FROM pragma_database_list", "PRAGMA database_list is refused"),
		Entry(nil, "VACUUM", "VACUUM is refused"),
		Entry(nil, "vAcUuM main", "VACUUM is refused"),
		Entry(nil, "VACUUM INTO 'copy.db'", "VACUUM is refused"),
		Entry(nil, "ANALYZE", "ANALYZE is refused"),
		Entry(nil, "ANALYZE t", "ANALYZE is refused"),
		Entry(nil, "SELECT load_extension('x')", "load_extension() is refused"),
		Entry(nil, "DELETE FROM t", "load_extension() is refused"),
		Entry(nil, "SELECT LOAD_EXTENSION('x', 'y')", "load_extension() is refused"),
		Entry(nil, "SELECT total_changes()", "total_changes() is refused"),
		Entry(nil, "BEGIN", "BEGIN is refused: a request is one transaction"),
		Entry(nil, "BEGIN IMMEDIATE", "BEGIN is refused"),
		Entry(nil, "COMMIT", "COMMIT is refused"),
		Entry(nil, "END TRANSACTION", "COMMIT is refused"),
		Entry(nil, "ROLLBACK", "ROLLBACK is refused"),
		Entry(nil, "SAVEPOINT entry", "SAVEPOINT is refused"),
		Entry(nil, "RELEASE entry", "SAVEPOINT is refused"),
		Entry(nil, "ROLLBACK TO entry", "SAVEPOINT is refused"),
		Entry(nil, "CREATE TEMP TABLE x (v)", "CREATE TEMP is refused"),
		Entry(nil, "create temporary view x AS SELECT 1", "CREATE TEMP is refused"),
		Entry(nil, "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", "CREATE TEMP is refused"),
		Entry(nil, "CREATE TABLE temp.x (v)", "CREATE TEMP is refused"),
		Entry(nil, "CREATE TABLE temp.x AS SELECT 1", "CREATE TEMP is refused"),
		Entry(nil, "CREATE VIEW temp.x AS SELECT 1", "CREATE TEMP is refused"),
		Entry(nil, "CREATE TRIGGER temp.x AFTER INSERT ON t BEGIN SELECT 1; END", "CREATE TEMP is refused"),
		Entry(nil, "CREATE VIRTUAL TABLE x USING fts4(v)", "CREATE VIRTUAL TABLE is refused"),
		Entry(nil, "CREATE VIRTUAL TABLE x USING rtree(a, b, c)", "CREATE VIRTUAL TABLE is refused"),

		Entry(nil, "INSERT INTO rejoin_namespaces VALUES ('x')", reserved),
		Entry(nil, "INSERT INTO Rejoin_Namespaces VALUES ('x')", reserved),
		Entry(nil, "REPLACE INTO main.rejoin_applied VALUES (1, 2, 3)", reserved),
		Entry(nil, "UPDATE rejoin_applied SET log_index = 1", reserved),
		Entry(nil, "DELETE FROM rejoin_requests", reserved),
		Entry(nil, "DELETE FROM rejoin_requests WHERE log_index < ?", reserved),
		Entry(nil, "DROP TABLE rejoin_requests", reserved),
		Entry(nil, "ALTER TABLE rejoin_requests RENAME TO x", reserved),
		Entry(nil, "ALTER TABLE rejoin_requests ADD COLUMN x", reserved),
		Entry(nil, "ALTER TABLE t RENAME TO rejoin_t", reserved),
		Entry(nil, `ALTER TABLE t RENAME TO "REJOIN_t"`, reserved),
		Entry(nil, "CREATE TABLE rejoin_x (v)", reserved),
		Entry(nil, "CREATE TABLE [REJOIN_x] AS SELECT 1", reserved),
		Entry(nil, "CREATE VIEW rejoin_x AS SELECT 1", reserved),
		Entry(nil, "CREATE INDEX x ON rejoin_requests (answer)", reserved),
		Entry(nil, "CREATE TRIGGER x AFTER INSERT ON rejoin_requests BEGIN SELECT 1; END", reserved),
		Entry(nil, "INSERT INTO w (log_index, id) VALUES (1, 'x')", reserved),
		Entry(nil, "INSERT INTO t (v) VALUES (1)", reserved),
		Entry(nil, "CREATE TABLE x (v REFERENCES rejoin_applied(log_index))", reserved),
		Entry(nil, "CREATE TABLE x (v, FOREIGN KEY (v) REFERENCES Rejoin_Requests (id) ON DELETE RESTRICT)", reserved),
		Entry(nil, "ALTER TABLE t ADD COLUMN x REFERENCES rejoin_requests", reserved),
		Entry(nil, "CREATE TABLE x (v REFERENCES rejoin_not_yet)", reserved),
	)

	DescribeTable("only explains is harmless", func(sql string) {
		n := open(machine.Options{})
		before := n.must("SELECT * FROM sqlite_schema")
		n.must(sql)
		Expect(n.must("SELECT * FROM sqlite_schema")).To(Equal(before))
		Expect(filepath.Glob(filepath.Join(n.dir, "*copy*"))).To(BeEmpty())
	},
		Entry(nil, "EXPLAIN VACUUM"),
		Entry(nil, "EXPLAIN VACUUM INTO 'copy.db'"),
		Entry(nil, "EXPLAIN QUERY PLAN VACUUM"),
		Entry(nil, "EXPLAIN CREATE TABLE t (v)"),
	)

	DescribeTable("changes data is refused by a view", func(sql string) {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (v)")
		before := n.digest()
		view, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(view.Close()).To(Succeed()) }()
		_, err = ask(view, sql)
		Expect(err).To(MatchError(sqlite.ErrRefused))
		Expect(ask(view, "SELECT * FROM t")).To(BeEmpty())
		Expect(n.digest()).To(Equal(before))
	},
		Entry(nil, "INSERT INTO t VALUES (1)"),
		Entry(nil, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x RETURNING *"),
		Entry(nil, "DELETE FROM t"),
		Entry(nil, "DROP TABLE t"),
		Entry(nil, "CREATE TEMP TABLE x (v)"),
		Entry(nil, "PRAGMA query_only = OFF"),
		Entry(nil, "/* x */ VACUUM INTO 'copy.db'"),
		Entry(nil, "ROLLBACK"),
		Entry(nil, "ATTACH ':memory:' AS x"),
		Entry(nil, "DELETE FROM rejoin_requests"),
	)

	DescribeTable("is none, or two, is an error", func(sql, message string) {
		n := open(machine.Options{})
		view, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(view.Close()).To(Succeed()) }()
		_, err = ask(view, sql)
		Expect(err).To(MatchError(message))
	},
		Entry(nil, "", "there is no statement in the text"),
		Entry(nil, "-- nothing", "there is no statement in the text"),
		Entry(nil, "SELECT 1; SELECT 2", "there is more than one statement in the text"),
	)
})
