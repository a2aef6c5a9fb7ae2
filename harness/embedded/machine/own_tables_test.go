package machine_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

var _ = Describe("The database's own tables", func() {
	var n *node
	BeforeEach(func() {
		n = open(machine.Options{})
		n.must(`CREATE NAMESPACE ns; CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v); CREATE TABLE t (id INTEGER PRIMARY KEY, v); ` +
			`CREATE TABLE u (v);
			INSERT INTO t VALUES (1, 1); INSERT INTO ns.t VALUES (1, 1); CREATE VIEW w AS SELECT * FROM t`)
		n.entry(machine.Entry{SQL: "INSERT INTO u VALUES (1)", Time: noon, ID: "a request"})
	})

	kept := func() [][]any {
		return n.read(`SELECT 'namespace', name, 0 FROM rejoin_namespaces UNION ALL SELECT type, name, namespace FROM rejoin_objects
			UNION ALL SELECT 'request', id, answer FROM rejoin_requests UNION ALL SELECT type, name, ` +
			`sql FROM sqlite_schema WHERE name LIKE 'rejoin_%'
			UNION ALL SELECT 'schema', count(*), 0 FROM sqlite_schema`)
	}

	DescribeTable("cannot be written indirectly by a statement", func(definition, sql string) {
		n.must(definition)
		before := kept()
		for _, text := range []string{sql, "SELECT 1; " + sql, sql + "; SELECT 1"} {
			Expect(n.do(text).Err).To(MatchError(sqlite.ErrRefused), text)
		}
		Expect(kept()).To(Equal(before))
		Expect(n.Failed()).NotTo(HaveOccurred())
	},
		Entry("a trigger that inserts", "CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO rejoin_namespaces VALUES ('more'); END",
			"INSERT INTO t (v) VALUES (1)"),
		Entry("... before", "CREATE TRIGGER g BEFORE UPDATE OF v ON t BEGIN INSERT INTO rejoin_objects VALUES ('table', 't', 'ns'); END",
			"UPDATE t SET v = 2"),
		Entry("... in a namespace", "CREATE TRIGGER ns.g AFTER DELETE ON t BEGIN INSERT INTO rejoin_namespaces VALUES ('more'); END",
			"DELETE FROM ns.t"),
		Entry("... with OR REPLACE",
			"CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO rejoin_requests VALUES (1, 'a request', x'80'); END",
			"REPLACE INTO t VALUES (1, 2)"),
		Entry("... with an upsert",
			"CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO rejoin_namespaces VALUES ('ns') ON CONFLICT DO UPDATE SET name = 'x'; END",
			"INSERT INTO t (v) VALUES (1)"),
		Entry("a trigger that updates", "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE rejoin_applied SET log_index = 1000; END",
			"INSERT INTO t (v) VALUES (1) RETURNING id"),
		Entry("... with a false condition",
			"CREATE TRIGGER g AFTER INSERT ON t WHEN 0 BEGIN UPDATE Rejoin_Applied SET log_index = 1000; END", "INSERT INTO t (v) VALUES (1)"),
		Entry("a trigger that deletes", `CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM "rejoin_requests"; END`,
			"INSERT INTO t (v) SELECT 1"),
		Entry("a trigger set off by a trigger",
			`CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END; CREATE TRIGGER h AFTER DELETE ON u BEGIN DELETE FROM rejoin_objects; END`,
			"INSERT INTO t (v) VALUES (1)"),
		Entry("a trigger set off by an upsert", "CREATE TRIGGER g AFTER UPDATE ON t BEGIN DELETE FROM rejoin_objects; END",
			"INSERT INTO t VALUES (1, 1) ON CONFLICT DO UPDATE SET v = 2"),
		Entry("a trigger on a view", "CREATE TRIGGER g INSTEAD OF DELETE ON w BEGIN DELETE FROM rejoin_objects; END", "DELETE FROM w"),
		Entry("a trigger on a view of them",
			"CREATE VIEW x AS SELECT * FROM rejoin_requests; CREATE TRIGGER g INSTEAD OF UPDATE ON x BEGIN UPDATE rejoin_requests SET id = "+
				"new.id; END",
			"UPDATE x SET id = 'b'"),
		Entry("a trigger set off by a foreign key action",
			"CREATE TABLE c (t REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1); "+
				"CREATE TRIGGER g AFTER DELETE ON c BEGIN DELETE FROM rejoin_requests; END",
			"DELETE FROM t"),
		Entry("a trigger set off by DROP TABLE",
			"CREATE TABLE c (t REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1); "+
				"CREATE TRIGGER g AFTER DELETE ON c BEGIN DELETE FROM rejoin_requests; END",
			"DROP TABLE t"),
	)

	It("cannot be written indirectly by DROP NAMESPACE", func() {
		n.must(`CREATE TRIGGER ns.g AFTER DELETE ON t BEGIN INSERT INTO rejoin_namespaces VALUES ('more'); END;
			CREATE TRIGGER outside AFTER DELETE ON "ns.t" BEGIN DELETE FROM rejoin_requests; END;
			CREATE TABLE ns.c (t REFERENCES t ON DELETE CASCADE); INSERT INTO ns.c VALUES (1);
			CREATE TRIGGER further AFTER DELETE ON "ns.c" BEGIN DELETE FROM rejoin_requests; END`)
		n.must("DROP NAMESPACE ns CASCADE")
		Expect(n.read("SELECT id FROM rejoin_requests")).To(Equal([][]any{{"a request"}}))
		Expect(n.read("SELECT * FROM rejoin_namespaces")).To(BeEmpty())
		Expect(n.read("SELECT * FROM rejoin_objects")).To(BeEmpty())
		Expect(n.read("SELECT name FROM sqlite_schema WHERE type = 'trigger'")).To(BeEmpty())
	})

	DescribeTable("cannot be used in clients' definitions", func(sql string) {
		before := kept()
		Expect(n.do(sql).Err).To(MatchError(sqlite.ErrRefused))
		Expect(kept()).To(Equal(before))
	},
		Entry(nil, "CREATE TRIGGER g AFTER INSERT ON rejoin_requests BEGIN DELETE FROM t; END"),
		Entry(nil, "CREATE TRIGGER g BEFORE UPDATE ON main.rejoin_applied BEGIN SELECT 1; END"),
		Entry(nil, `CREATE TRIGGER IF NOT EXISTS main.g BEFORE DELETE ON "REJOIN_objects" BEGIN SELECT RAISE(ABORT, 'no'); END`),
		Entry(nil, "CREATE TABLE c (v REFERENCES rejoin_namespaces(name) ON DELETE CASCADE)"),
		Entry(nil, "CREATE TABLE c (v, FOREIGN KEY (v) REFERENCES Rejoin_Objects ON UPDATE SET NULL)"),
		Entry(nil, "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (v REFERENCES p ON DELETE CASCADE); "+
			"ALTER TABLE p RENAME TO rejoin_p"),
		Entry(nil, "CREATE UNIQUE INDEX i ON rejoin_requests (answer)"),
		Entry(nil, "ALTER TABLE rejoin_objects DROP COLUMN namespace"),
		Entry(nil, "ALTER TABLE rejoin_objects RENAME COLUMN namespace TO x"),
		Entry(nil, "DROP TABLE IF EXISTS rejoin_objects"),
	)

	DescribeTable("are not written by the database's own statements, sent by a client", func(sql string, params ...any) {
		before := kept()
		Expect(n.do(sql, params...).Err).To(MatchError(sqlite.ErrRefused))
		Expect(kept()).To(Equal(before))
	},
		Entry(nil, "REPLACE INTO rejoin_applied VALUES (1, ?, ?, ?)", int64(1), int64(1), int64(1)),
		Entry(nil, "DELETE FROM rejoin_namespaces WHERE name = ?", "ns"),
		Entry(nil, "INSERT INTO rejoin_namespaces VALUES (?)", "more"),
		Entry(nil, "DELETE FROM rejoin_objects WHERE (type, name) NOT IN (SELECT type, lower(name) FROM sqlite_schema)"),
		Entry(nil, "INSERT OR IGNORE INTO rejoin_objects SELECT type, ?1, ?2 FROM sqlite_schema WHERE lower(name) = ?1 AND (type = "+
			"'trigger') = ?3", "t", "ns", int64(0)),
		Entry(nil, "SAVEPOINT entry"),
		Entry(nil, "PRAGMA defer_foreign_keys = ON"),
	)

	It("can be read, in a trigger too", func() {
		n.must("CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO u SELECT name FROM rejoin_namespaces; END; DELETE FROM u; " +
			"INSERT INTO t (v) VALUES (2)")
		Expect(n.read("SELECT * FROM u")).To(Equal([][]any{{"ns"}}))
	})
})

var _ = Describe("A refused function", func() {
	DescribeTable("is refused wherever an expression is allowed", func(script ...string) {
		n := open(machine.Options{})
		n.must("CREATE TABLE t (k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 1)")
		last := len(script) - 1
		for _, sql := range script[:last] {
			n.must(sql)
		}
		before := n.read("SELECT * FROM t, sqlite_schema")
		err := n.do(script[last]).Err
		Expect(err).To(MatchError(sqlite.ErrRefused))
		Expect(err).To(MatchError(ContainSubstring("total_changes() is refused")))
		Expect(n.read("SELECT * FROM t, sqlite_schema")).To(Equal(before))
	},
		Entry("a query", "SELECT total_changes()"),
		Entry("a default", "CREATE TABLE x (k, v DEFAULT (total_changes()))"),
		Entry("a default of a new column", "ALTER TABLE t ADD COLUMN x DEFAULT (total_changes())"),
		Entry("a check", "CREATE TABLE x (k CHECK (k > total_changes()))"),
		Entry("a check of a table", "CREATE TABLE x (k, CHECK (k > (total_changes())))"),
		Entry("a check of a new column", "ALTER TABLE t ADD COLUMN x CHECK (x > total_changes())"),
		Entry("a check of a new column that is first evaluated later",
			"DELETE FROM t; ALTER TABLE t ADD COLUMN x CHECK (x > total_changes())", "INSERT INTO t VALUES (1, 1, 1)"),
		Entry("a generated column", "CREATE TABLE x (k, v AS (total_changes()))"),
		Entry("a generated column that is stored", "CREATE TABLE x (k, v AS (total_changes()) STORED)"),
		Entry("an index", "CREATE INDEX i ON t (total_changes())"),
		Entry("the condition of an index", "CREATE INDEX i ON t (v) WHERE v > total_changes()"),
		Entry("a view", "CREATE VIEW x AS SELECT total_changes() AS n", "INSERT INTO t (v) SELECT n FROM x"),
		Entry("a trigger", "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET v = total_changes(); END", "INSERT INTO t (v) VALUES (1)"),
		Entry("the condition of a trigger", "CREATE TRIGGER g AFTER INSERT ON t WHEN total_changes() > 1 BEGIN SELECT 1; END",
			"INSERT INTO t (v) VALUES (1)"),
		Entry("an upsert", "INSERT INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET v = total_changes()"),
		Entry("RETURNING", "DELETE FROM t RETURNING total_changes()"),
		Entry("an order", "SELECT * FROM t ORDER BY total_changes()"),
		Entry("a limit", "SELECT * FROM t LIMIT total_changes()"),
		Entry("a filter of a window", "SELECT count(*) FILTER (WHERE total_changes() > 0) OVER () FROM t"),
		Entry("in different case", `SELECT "TOTAL_changes"()`),
	)
})
