package machine_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

var _ = Describe("The contents of a namespace", func() {
	var n *node
	BeforeEach(func() { n = open(machine.Options{}) })

	// own returns the names of the objects made by clients.
	own := func() (names []any) {
		for _, row := range n.read("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'rejoin_%' AND name NOT LIKE 'sqlite_%' ORDER BY name") {
			names = append(names, row[0])
		}
		return names
	}

	// members returns the recorded contents of namespaces.
	members := func() [][]any { return n.read("SELECT namespace, type, name FROM rejoin_objects ORDER BY name, type") }

	DescribeTable("do not include an object with a dot in its name", func(script ...string) {
		n.must("CREATE TABLE t (v)")
		for _, sql := range script {
			n.must(sql)
		}
		before := own()
		n.must("DROP NAMESPACE report")
		Expect(own()).To(Equal(before))
		n.must("CREATE NAMESPACE report; CREATE TABLE report.other (v)")
		n.must("DROP NAMESPACE report CASCADE")
		Expect(own()).To(Equal(before))
	},
		Entry("a table", `CREATE TABLE "report.csv" (line)`, "CREATE NAMESPACE report"),
		Entry("a table, in different case", `CREATE TABLE "Report.CSV" (line)`, "CREATE NAMESPACE report"),
		Entry("a table made after the namespace", "CREATE NAMESPACE report",
			`CREATE TABLE [report.csv] (line); INSERT INTO "report.csv" VALUES ('kept')`),
		Entry("a table made from a query", "CREATE NAMESPACE report", "CREATE TABLE `report.csv` AS SELECT 1 AS line"),
		Entry("a view", `CREATE VIEW "report.csv" AS SELECT 1 AS line`, "CREATE NAMESPACE report"),
		Entry("an index", `CREATE INDEX "report.csv" ON t (v)`, "CREATE NAMESPACE report"),
		Entry("a trigger", `CREATE TRIGGER "report.csv" AFTER INSERT ON t BEGIN SELECT 1; END`, "CREATE NAMESPACE report"),
		Entry("a table renamed to the name", "CREATE NAMESPACE report", `ALTER TABLE t RENAME TO "report.csv"`),
		Entry("a table renamed out of the namespace", "CREATE NAMESPACE report; CREATE TABLE report.csv (v)",
			`ALTER TABLE "report.csv" RENAME TO left`),
		Entry("a table renamed out and back by its quoted name", "CREATE NAMESPACE report; CREATE TABLE report.csv (v)",
			`ALTER TABLE "report.csv" RENAME TO left`, `ALTER TABLE left RENAME TO "report.csv"`),
		Entry("a table dropped and made again by its quoted name", "CREATE NAMESPACE report; CREATE TABLE report.csv (v)",
			"DROP TABLE report.csv", `CREATE TABLE "report.csv" (v)`),
		Entry("a table of a namespace that was dropped and made again", "CREATE NAMESPACE report; CREATE TABLE report.csv (v)",
			"DROP NAMESPACE report CASCADE", `CREATE TABLE "report.csv" (v)`, "CREATE NAMESPACE report"),
		Entry("a table with the namespace's name", "CREATE NAMESPACE report; CREATE TABLE report (v)"),
		Entry("a table of a longer name", `CREATE NAMESPACE report; CREATE TABLE "reports.csv" (v); CREATE TABLE report_x (v)`),
	)

	It("are distinguished from objects with the same stored name, in every statement", func() {
		n.must(`CREATE TABLE "report.csv" (line); INSERT INTO "report.csv" VALUES ('kept'); CREATE NAMESPACE report; CREATE TABLE report.x (v)`)
		before := n.digest()
		for _, sql := range []string{
			"SELECT * FROM report.csv", "INSERT INTO report.csv VALUES (1)", "UPDATE report.CSV SET line = 1", "DELETE FROM report.csv",
			"DROP TABLE report.csv", "DROP TABLE IF EXISTS report.csv", "CREATE TABLE report.csv (v)", "CREATE TABLE IF NOT EXISTS report.csv (v)",
			"ALTER TABLE report.csv RENAME TO y", "ALTER TABLE report.x RENAME TO csv", "CREATE VIEW report.v AS SELECT * FROM report.csv",
			"CREATE INDEX report.i ON csv (line)", "CREATE TABLE report.y (v REFERENCES csv(line))", "SELECT * FROM report.x WHERE v IN report.csv",
		} {
			Expect(n.do(sql).Err).To(MatchError(MatchRegexp(`^report\.(csv|CSV) is not in namespace "report": the name "report.csv" belongs to `+
				`an object outside all namespaces`)), sql)
		}
		n.must("CREATE TRIGGER report.csv AFTER INSERT ON x BEGIN SELECT 1; END; DROP TRIGGER report.csv")
		Expect(n.read(`SELECT * FROM "report.csv"`)).To(Equal([][]any{{"kept"}}))
		Expect(n.digest()).NotTo(Equal(before), "the index has changed")
		Expect(n.read("SELECT name FROM rejoin_objects")).To(Equal([][]any{{"report.x"}}))

		By("the quoted name also refers to an object in the namespace")
		n.must(`INSERT INTO "report.x" VALUES (1)`)
		Expect(n.read("SELECT * FROM report.x")).To(HaveLen(1))
		Expect(n.do(`CREATE TABLE "report.x" (v)`).Err).To(MatchError(`table "report.x" already exists`))
	})

	It("are recorded as statements change them", func() {
		n.must(`CREATE NAMESPACE ns; CREATE TABLE ns.T (id INTEGER PRIMARY KEY, v UNIQUE); CREATE TABLE IF NOT EXISTS ns.t (other); ` +
			`CREATE VIEW ns.v AS SELECT * FROM ns.t;
			CREATE INDEX ns.i ON t (v); CREATE TRIGGER ns.T AFTER INSERT ON t BEGIN SELECT 1; END; CREATE TABLE "ns.u" (v)`)
		Expect(members()).To(Equal([][]any{
			{"ns", "index", "ns.i"}, {"ns", "table", "ns.t"}, {"ns", "trigger", "ns.t"}, {"ns", "view", "ns.v"},
		}))
		n.must("DROP VIEW ns.v; ALTER TABLE ns.t RENAME TO u2; ALTER TABLE ns.u2 RENAME COLUMN v TO w; ALTER TABLE ns.u2 ADD COLUMN x; " +
			"ALTER TABLE ns.u2 RENAME TO x; ALTER TABLE ns.x RENAME TO U2")
		Expect(members()).To(Equal([][]any{{"ns", "index", "ns.i"}, {"ns", "trigger", "ns.t"}, {"ns", "table", "ns.u2"}}))
		n.must("DROP TABLE ns.u2")
		Expect(members()).To(BeEmpty(), "indexes and triggers are dropped with their table")

		By("a failed statement records nothing")
		n.must("CREATE TABLE ns.t (v)")
		Expect(n.do("CREATE TABLE ns.x (v); CREATE TABLE ns.t (v)").Err).To(MatchError(ContainSubstring("already exists")))
		Expect(n.do("DROP TABLE ns.t; nonsense").Err).To(HaveOccurred())
		Expect(members()).To(Equal([][]any{{"ns", "table", "ns.t"}}))
	})

	It("change the digest", func() {
		digest := func(sql string) string {
			n := open(machine.Options{})
			n.must("CREATE NAMESPACE ns")
			n.must(sql)
			return n.digest()
		}
		Expect(digest(`CREATE TABLE ns.t (v)`)).NotTo(Equal(digest(`CREATE TABLE "ns.t" (v)`)))
		Expect(digest(`CREATE TABLE ns.t (v)`)).To(Equal(digest(`CREATE TABLE NS."t" (v)`)))
	})

	It("are part of a snapshot", func() {
		n.must(`CREATE NAMESPACE ns; CREATE TABLE ns.t (v); CREATE TABLE "ns.u" (v)`)
		other := open(machine.Options{})
		other.restore(n.snapshot())
		other.must("DROP NAMESPACE ns CASCADE")
		Expect(other.read("SELECT name FROM sqlite_schema WHERE name LIKE 'ns.%'")).To(Equal([][]any{{"ns.u"}}))
	})

	When("the namespace is dropped", func() {
		It("require CASCADE", func() {
			n.must("CREATE NAMESPACE ns; CREATE TABLE ns.t (v); CREATE VIEW ns.v AS SELECT 1; CREATE INDEX ns.i ON t (v)")
			before := own()
			const message = `namespace "ns" is not empty: it holds table ns.t, view ns.v, index ns.i; DROP NAMESPACE ns CASCADE drops them too`
			for _, sql := range []string{"DROP NAMESPACE ns", "DROP NAMESPACE IF EXISTS NS RESTRICT"} {
				Expect(n.do(sql).Err).To(MatchError(message), sql)
			}
			n.must("CREATE TABLE ns.a (v); CREATE TABLE ns.b (v); CREATE TABLE ns.c (v); DROP VIEW ns.v")
			Expect(n.do("DROP NAMESPACE ns").Err).To(MatchError(ContainSubstring("it holds table ns.a, table ns.b, table ns.c, table ns.t, " +
				"index ns.i; ")))
			n.must("CREATE TABLE ns.d (v)")
			Expect(n.do("DROP NAMESPACE ns").Err).To(MatchError(ContainSubstring("table ns.t, 1 more; ")))
			Expect(own()).To(ContainElements(before[0], before[1]))
			n.must("DROP TABLE ns.a; DROP TABLE ns.b; DROP TABLE ns.c; DROP TABLE ns.d; DROP TABLE ns.t; DROP NAMESPACE ns")
			var unknown *sqltext.UnknownNamespaceError
			Expect(n.do("DROP NAMESPACE ns").Err).To(BeAssignableToTypeOf(unknown))
		})

		DescribeTable("are dropped with any foreign keys between them", func(tables ...string) {
			n.must("CREATE NAMESPACE ns; CREATE NAMESPACE other; CREATE TABLE kept (v); INSERT INTO kept VALUES (1)")
			for _, sql := range tables {
				n.must(sql)
			}
			n.must("DROP NAMESPACE ns CASCADE")
			Expect(own()).To(Equal([]any{"kept"}))
			Expect(n.read("SELECT * FROM kept")).To(HaveLen(1))
			Expect(members()).To(BeEmpty())
		},
			Entry("RESTRICT", "CREATE TABLE ns.a (id INTEGER PRIMARY KEY); CREATE TABLE ns.b (a REFERENCES a ON DELETE RESTRICT)",
				"INSERT INTO ns.a VALUES (1); INSERT INTO ns.b VALUES (1)"),
			Entry("RESTRICT, to the same table", "CREATE TABLE ns.a (id INTEGER PRIMARY KEY, up REFERENCES a ON DELETE RESTRICT)",
				"INSERT INTO ns.a VALUES (1, NULL), (2, 1), (3, 2)"),
			Entry("CASCADE, in a circle",
				"CREATE TABLE ns.a (id INTEGER PRIMARY KEY, b REFERENCES b ON DELETE CASCADE); "+
					"CREATE TABLE ns.b (id INTEGER PRIMARY KEY, a REFERENCES a ON DELETE CASCADE)",
				"INSERT INTO ns.a VALUES (1, NULL); INSERT INTO ns.b VALUES (1, 1); UPDATE ns.a SET b = 1"),
			Entry("to a dropped table",
				"CREATE TABLE ns.gone (x PRIMARY KEY); CREATE TABLE ns.a (id INTEGER PRIMARY KEY, v REFERENCES gone(x)); "+
					"CREATE TABLE ns.b (a REFERENCES a)",
				"INSERT INTO ns.a VALUES (1, NULL); INSERT INTO ns.b VALUES (1); DROP TABLE ns.gone"),
			Entry("to a table outside", "CREATE TABLE other.x (id INTEGER PRIMARY KEY); CREATE TABLE ns.b (v REFERENCES other.x)",
				"INSERT INTO other.x VALUES (1); INSERT INTO ns.b VALUES (1); DROP NAMESPACE ns CASCADE; CREATE NAMESPACE ns; DROP TABLE other.x"),
			Entry("to an unknown column", "CREATE TABLE ns.a (x); CREATE TABLE ns.b (v REFERENCES a(no_such))", "INSERT INTO ns.a VALUES (1)"),
		)

		DescribeTable("keep rows outside that refer to them by a foreign key", func(action string) {
			n.must(`CREATE NAMESPACE shop; CREATE TABLE shop.a (id INTEGER PRIMARY KEY, k, UNIQUE (id, k)); ` +
				`INSERT INTO shop.a VALUES (1, 1), (2, 2)`)
			n.must(`CREATE TABLE orders (a DEFAULT 2, k, FOREIGN KEY (a, k) REFERENCES "shop.a"(id, k) ON DELETE ` + action +
				`); INSERT INTO orders VALUES (1, 1), (NULL, 1), (9, NULL)`)
			n.must("CREATE TABLE log (v); CREATE TRIGGER gone AFTER DELETE ON orders BEGIN INSERT INTO log VALUES (old.a); END")
			before := own()
			Expect(n.do("DROP NAMESPACE shop CASCADE").Err).To(MatchError(ContainSubstring(`rows of "orders", outside the namespace, ` +
				`refer to "shop.a"`)))
			Expect(own()).To(Equal(before))
			Expect(n.read("SELECT * FROM orders")).To(HaveLen(3))
			Expect(n.read("SELECT * FROM shop.a")).To(HaveLen(2))
			n.must("DELETE FROM orders WHERE a = 1; DELETE FROM log; DROP NAMESPACE shop CASCADE")
			Expect(n.read("SELECT * FROM orders")).To(HaveLen(2))
			Expect(n.read("SELECT * FROM log")).To(BeEmpty())
		},
			Entry(nil, "CASCADE"), Entry(nil, "SET NULL"), Entry(nil, "SET DEFAULT"), Entry(nil, "RESTRICT"), Entry(nil, "NO ACTION"),
			Entry(nil, "NO ACTION DEFERRABLE INITIALLY DEFERRED"),
		)

		It("fire no trigger, inside or outside the namespace", func() {
			n.must(`CREATE NAMESPACE ns; CREATE NAMESPACE other; CREATE TABLE ns.t (v); CREATE VIEW ns.v AS SELECT 1 AS v; ` +
				`CREATE TABLE log (v); INSERT INTO ns.t VALUES (1)`)
			n.must(`CREATE TRIGGER ns.g AFTER DELETE ON t BEGIN INSERT INTO log VALUES (1); END;
				CREATE TRIGGER "outside" BEFORE DELETE ON "ns.t" BEGIN SELECT RAISE(ROLLBACK, 'fired'); END;
				CREATE TRIGGER "odd "" name" AFTER DELETE ON "ns.t" BEGIN DELETE FROM rejoin_namespaces; END;
				CREATE TRIGGER "on view" INSTEAD OF DELETE ON "ns.v" BEGIN INSERT INTO log VALUES (1); END`)
			n.must("DROP NAMESPACE ns CASCADE")
			Expect(n.read("SELECT * FROM log")).To(BeEmpty())
			Expect(own()).To(Equal([]any{"log"}))
			Expect(n.read("SELECT * FROM rejoin_namespaces")).To(Equal([][]any{{"other"}}))
		})

		It("include an index whose table was renamed out of the namespace", func() {
			n.must(`CREATE NAMESPACE ns; CREATE TABLE ns.t (v); CREATE INDEX ns.i ON t (v); ` +
				`CREATE TRIGGER ns.g AFTER INSERT ON t BEGIN SELECT 1; END`)
			n.must(`ALTER TABLE "ns.t" RENAME TO kept; DROP NAMESPACE ns CASCADE`)
			Expect(own()).To(Equal([]any{"kept"}))
		})

		It("leave views and triggers outside that name them, which then fail", func() {
			n.must("CREATE NAMESPACE ns; CREATE TABLE ns.t (v); CREATE TABLE t (v); CREATE VIEW v AS SELECT * FROM ns.t")
			n.must("CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO ns.t VALUES (new.v); END; DROP NAMESPACE ns CASCADE")
			Expect(own()).To(Equal([]any{"g", "t", "v"}))
			Expect(n.do("INSERT INTO t VALUES (1)").Err).To(MatchError("no such table: main.ns.t"))
			Expect(n.do("SELECT * FROM v").Err).To(MatchError("no such table: main.ns.t"))
		})
	})
})

var _ = Describe("A snapshot of an earlier version", func() {
	It("is not restored", func() {
		path := filepath.Join(GinkgoT().TempDir(), "old.db")
		old, err := sqlite.Open(path, sqlite.Plain)
		Expect(err).NotTo(HaveOccurred())
		Expect(old.Trusted(`CREATE TABLE rejoin_applied (id INTEGER PRIMARY KEY, log_index INTEGER NOT NULL, log_term INTEGER NOT NULL, ` +
			`latest_time INTEGER NOT NULL);
			INSERT INTO rejoin_applied VALUES (1, 7, 1, 1)`)).To(Succeed())
		Expect(old.Close()).To(Succeed())
		file, err := os.Open(path)
		Expect(err).NotTo(HaveOccurred())
		n := open(machine.Options{})
		Expect(n.Restore(file)).To(MatchError(ContainSubstring("the snapshot was made by an earlier version")))
		Expect(file.Close()).To(Succeed())
	})
})
