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

var _ = Describe("A statement that", func() {
	const reserved = "names that start with rejoin_ belong to the database itself"

	DescribeTable("would make nodes differ is refused", func(sql, reason string) {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE VIEW w AS SELECT * FROM rejoin_requests")
		n.must("CREATE TRIGGER wi INSTEAD OF INSERT ON w BEGIN INSERT INTO rejoin_requests VALUES (new.log_index, new.id, new.answer, " +
			"new.large, new.time, new.digest); END")
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
		Entry(nil, "DELETE FROM rejoin_requests WHERE log_index < 1", reserved),
		Entry(nil, "DROP TABLE rejoin_requests", reserved),
		Entry(nil, "ALTER TABLE rejoin_requests RENAME TO x", reserved),
		Entry(nil, "ALTER TABLE rejoin_requests ADD COLUMN x", reserved),
		Entry(nil, "ALTER TABLE t RENAME TO rejoin_t", reserved),
		Entry(nil, `ALTER TABLE t RENAME TO "REJOIN_t"`, reserved),
		Entry(nil, "CREATE TABLE rejoin_x (v)", reserved),
		Entry(nil, "CREATE TABLE [REJOIN_x] AS SELECT 1", reserved),
		Entry(nil, "CREATE VIEW rejoin_x AS SELECT 1", reserved),
		Entry(nil, "CREATE INDEX x ON rejoin_requests (answer)", reserved),
		Entry(nil, "CREATE INDEX rejoin_i ON t (v)", reserved),
		Entry(nil, "CREATE TRIGGER Rejoin_g AFTER INSERT ON t BEGIN SELECT 1; END", reserved),
		Entry(nil, "DELETE FROM rejoin_objects", reserved),
		Entry(nil, "CREATE TRIGGER x AFTER INSERT ON rejoin_requests BEGIN SELECT 1; END", reserved),
		Entry(nil, "INSERT INTO w (log_index, id) VALUES (1, 'x')", reserved),
		Entry(nil, "INSERT INTO t (v) VALUES (1)", reserved),
		Entry(nil, "CREATE TABLE x (v REFERENCES rejoin_applied(log_index))", reserved),
		Entry(nil, "CREATE TABLE x (v, FOREIGN KEY (v) REFERENCES Rejoin_Requests (id) ON DELETE RESTRICT)", reserved),
		Entry(nil, "ALTER TABLE t ADD COLUMN x REFERENCES rejoin_requests", reserved),
		Entry(nil, "CREATE TABLE x (v REFERENCES rejoin_not_yet)", reserved),
	)

	DescribeTable("only explains changes nothing", func(sql string) {
		n := open(machine.Options{})
		n.must("CREATE NAMESPACE ns; CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v)")
		before := n.digest()
		Expect(n.read(sql)).NotTo(BeEmpty())
		Expect(n.digest()).To(Equal(before))

		By("it is refused in a change: its rows are specific to one node, and the answers of changes are stored")
		Expect(n.do(sql).Err).To(MatchError(HavePrefix("EXPLAIN is refused in a request that changes data")))
		err := n.do("INSERT INTO ns.t VALUES (1, 1); " + sql).Err
		Expect(err).To(MatchError(sqlite.ErrRefused))
		Expect(err).To(MatchError(HavePrefix("statement 2 of 2: EXPLAIN is refused")))
		Expect(n.read("SELECT * FROM ns.t")).To(BeEmpty())
		Expect(filepath.Glob(filepath.Join(n.dir, "*copy*"))).To(BeEmpty())
	},
		Entry(nil, "EXPLAIN VACUUM"),
		Entry(nil, "EXPLAIN VACUUM INTO 'copy.db'"),
		Entry(nil, "EXPLAIN CREATE TABLE t (v)"),
		Entry(nil, "EXPLAIN CREATE TABLE ns.u AS SELECT * FROM ns.t"),
		Entry(nil, "EXPLAIN INSERT INTO ns.t VALUES (1, 2)"),
		Entry(nil, "EXPLAIN REPLACE INTO ns.t VALUES (1, 2) RETURNING *"),
		Entry(nil, "EXPLAIN QUERY PLAN UPDATE ns.t SET v = 1 WHERE v = 2"),
		Entry(nil, "explain query plan DELETE FROM ns.t WHERE id = 1"),
		Entry(nil, "EXPLAIN QUERY PLAN WITH x AS (SELECT 1) INSERT INTO ns.t (id) SELECT * FROM x"),
		Entry(nil, "EXPLAIN DROP TABLE ns.t"),
		Entry(nil, "EXPLAIN ALTER TABLE ns.t RENAME TO u"),
		Entry(nil, "EXPLAIN ALTER TABLE ns.t ADD COLUMN w DEFAULT 1"),
		Entry(nil, "EXPLAIN CREATE INDEX ns.i ON t (v)"),
		Entry(nil, "EXPLAIN CREATE TRIGGER ns.g AFTER INSERT ON t BEGIN DELETE FROM ns.t; END"),
		Entry(nil, "EXPLAIN PRAGMA table_info(ns.t)"),
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

	DescribeTable("is empty, or two statements, is an error", func(sql, message string) {
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

var _ = Describe("A read-only pragma", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{})
		n.must(`CREATE NAMESPACE ns; CREATE TABLE p (id INTEGER PRIMARY KEY); ` +
			`CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v TEXT NOT NULL DEFAULT 'x', p, g AS (v || 'y'), UNIQUE (v));
			CREATE INDEX ns.i ON t (p); CREATE TABLE c (id REFERENCES p(id) ON DELETE CASCADE)`)
	})

	DescribeTable("is answered by a view, as a statement and as a function", func(statement, function string, want ...any) {
		rows := n.read(statement)
		Expect(rows).NotTo(BeEmpty())
		Expect(rows[0][:len(want)]).To(Equal(want))
		if function != "" {
			Expect(n.read("SELECT * FROM " + function)).To(Equal(rows))
		}
	},
		Entry(nil, "PRAGMA table_info(c)", "pragma_table_info('c')", int64(0), "id"),
		Entry(nil, "PRAGMA table_info(ns.t)", "pragma_table_info('ns.t')", int64(0), "id", "INTEGER"),
		Entry(nil, "PRAGMA ns.table_info(t)", "pragma_table_info('NS.T')", int64(0), "id", "INTEGER"),
		Entry(nil, `pragma main.table_info = "ns.t"`, "pragma_table_info('ns.t', 'main')", int64(0), "id", "INTEGER"),
		Entry(nil, "PRAGMA table_xinfo(ns.t)", "pragma_table_xinfo('ns.t')", int64(0), "id"),
		Entry(nil, "PRAGMA index_list(ns.t)", "pragma_index_list('ns.t')", int64(0), "ns.i"),
		Entry(nil, "PRAGMA index_info(ns.i)", "pragma_index_info('ns.i')", int64(0), int64(2), "p"),
		Entry(nil, "PRAGMA index_xinfo(ns.i)", "pragma_index_xinfo('ns.i')", int64(0), int64(2), "p"),
		Entry(nil, "PRAGMA foreign_key_list(c)", "pragma_foreign_key_list('c')", int64(0), int64(0), "p"),
		Entry(nil, "PRAGMA table_list(p)", "pragma_table_list('p')", "main", "p", "table"),
		Entry(nil, "PRAGMA collation_list", "pragma_collation_list"),
		Entry(nil, "PRAGMA function_list", "pragma_function_list"),
		Entry(nil, "PRAGMA compile_options", "pragma_compile_options"),
		Entry(nil, "PRAGMA module_list", ""),
		Entry(nil, "PRAGMA pragma_list", "pragma_pragma_list"),
		Entry(nil, "SELECT s.name, i.name FROM sqlite_schema s, pragma_table_info(s.name) i WHERE s.name = 'c'", "", "c", "id"),
	)

	It("finds rows that violate a foreign key", func() {
		Expect(n.read("PRAGMA foreign_key_check")).To(BeEmpty())
		Expect(n.read("PRAGMA foreign_key_check(c)")).To(BeEmpty())
		Expect(n.read("SELECT * FROM pragma_foreign_key_check('c')")).To(BeEmpty())
	})

	It("is allowed in a change if every node has the same rows in the same order", func() {
		n.must("CREATE TABLE seen AS SELECT name FROM pragma_table_info('ns.t')")
		n.must("INSERT INTO seen SELECT name FROM pragma_table_xinfo('ns.t') UNION ALL SELECT name FROM pragma_index_list('ns.t') UNION ALL " +
			"SELECT name FROM pragma_index_info('ns.i')")
		Expect(n.must("SELECT name FROM pragma_table_info('ns.t')").Rows).To(Equal([][]any{{"id"}, {"v"}, {"p"}}))
		Expect(n.must("PRAGMA table_info(ns.t)").Rows).To(HaveLen(3))
		for _, name := range []string{"table_list", "foreign_key_check", "function_list", "collation_list", "module_list", "pragma_list",
			"compile_options"} {
			err := n.do("CREATE TABLE more AS SELECT * FROM pragma_" + name).Err
			Expect(err).To(MatchError(sqlite.ErrRefused))
			Expect(err).To(MatchError("PRAGMA " + name +
				" is refused in a request that changes data: the order of its rows may differ between nodes; send it alone"))
		}
	})

	DescribeTable("is the only kind allowed", func(sql string) {
		view, err := n.View(context.Background())
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(view.Close()).To(Succeed()) }()
		_, err = ask(view, sql)
		Expect(err).To(MatchError(sqlite.ErrRefused))
		Expect(err).To(MatchError(MatchRegexp("^PRAGMA [a-z_]+ is refused: it is about one node's connection or file")))
	},
		Entry(nil, "PRAGMA user_version"), Entry(nil, "PRAGMA user_version = 3"), Entry(nil, "SELECT * FROM pragma_user_version"),
		Entry(nil, "PRAGMA query_only = OFF"), Entry(nil, "PRAGMA writable_schema = ON"),
		Entry(nil, "PRAGMA database_list"), Entry(nil, "SELECT file FROM pragma_database_list"), Entry(nil, "PRAGMA journal_mode = DELETE"),
		Entry(nil, "PRAGMA ns.journal_mode = t"), Entry(nil, "PRAGMA wal_checkpoint(TRUNCATE)"), Entry(nil, "PRAGMA optimize"),
		Entry(nil, "PRAGMA integrity_check"), Entry(nil, "SELECT * FROM pragma_quick_check('ns.t')"),
		Entry(nil, "PRAGMA case_sensitive_like = 1"),
		Entry(nil, "PRAGMA foreign_keys = OFF"), Entry(nil, "PRAGMA synchronous"), Entry(nil, "EXPLAIN PRAGMA user_version = 1"),
	)

	It("lets ALTER TABLE check existing rows against the constraints of a new column", func() {
		n.must("ALTER TABLE ns.t ADD COLUMN positive INTEGER NOT NULL DEFAULT 1 CHECK (positive > 0)")
		Expect(n.do("INSERT INTO ns.t (id, positive) VALUES (1, 0)").Err).To(MatchError(ContainSubstring("CHECK constraint failed")))
		n.must("INSERT INTO ns.t (id) VALUES (1)")
		Expect(n.do("ALTER TABLE ns.t ADD COLUMN negative DEFAULT 1 CHECK (negative < 0)").Err).To(MatchError("CHECK constraint failed"))
		n.must("ALTER TABLE ns.t ADD COLUMN length AS (length(v)) NOT NULL")
		Expect(n.do("ALTER TABLE ns.t ADD COLUMN empty AS (NULL) NOT NULL").Err).To(MatchError(ContainSubstring("NOT NULL constraint failed")))
		Expect(n.do("SELECT * FROM pragma_quick_check('ns.t')").Err).To(MatchError(sqlite.ErrRefused))
	})
})
