package specs

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// namespaces are specs about the SQL dialect: namespaces, the system tables, and functions that
// must not depend on the node.
func namespaces(env *environment) {
	// assumptions skips specs about the dialect on other databases.
	assumptions := func(SpecContext) { env.assumes(target.SQLite, target.Namespaces, target.SystemTables) }

	// refused runs a statement that must fail with a reason and without effect.
	refused := func(ctx SpecContext, sql, reason string, args ...any) {
		GinkgoHelper()
		_, err := env.cluster.ExecuteOnRandom(ctx, env.sql(sql), args...)
		Expect(err).To(MatchError(ContainSubstring(env.sql(reason))), sql)
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied), sql)
	}

	Describe("A namespace", Label("suite:namespaces", "needs:sqlite"), func() {
		BeforeEach(assumptions)

		It("is dropped with its objects only by CASCADE", func(ctx SpecContext) {
			env.run(ctx, "CREATE NAMESPACE {ns}_b; CREATE TABLE {ns}_b.t (v); INSERT INTO {ns}_b.t VALUES ('kept')")
			refused(ctx, "DROP NAMESPACE {ns}_b", "holds table {ns}_b.t")
			refused(ctx, "DROP NAMESPACE IF EXISTS {ns}_b RESTRICT", "CASCADE drops them too")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT v FROM {ns}_b.t")))
			env.run(ctx, "DROP NAMESPACE {ns}_b CASCADE")
			refused(ctx, "SELECT * FROM {ns}_b.t", "does not exist")
			env.run(ctx, "CREATE NAMESPACE {ns}_b; CREATE TABLE {ns}_b.t (v); DROP TABLE {ns}_b.t; DROP NAMESPACE {ns}_b")
		}, env.patience)

		It("is dropped without objects that only have a dot in their names", func(ctx SpecContext) {
			env.run(ctx, `CREATE TABLE "{ns}_r.csv" (line); INSERT INTO "{ns}_r.csv" VALUES ('kept'); CREATE VIEW "{ns}_r.v" AS SELECT 1 AS one`)
			env.run(ctx, "CREATE NAMESPACE {ns}_r; CREATE TABLE {ns}_r.t (v); CREATE TABLE {ns}_rest (v)")
			refused(ctx, "SELECT * FROM {ns}_r.csv", "is not in namespace")
			env.run(ctx, "DROP NAMESPACE {ns}_r CASCADE")
			Expect(env.run(ctx, `SELECT line, one FROM "{ns}_r.csv", "{ns}_r.v"`)).To(HaveRows(Row("kept", 1)))
			Expect(env.cluster).To(BeConsistent(env.sql(`SELECT * FROM "{ns}_r.csv"`), env.sql("SELECT * FROM {ns}_rest"),
				env.sql("SELECT name FROM sqlite_schema WHERE name LIKE '{ns}_r%' ORDER BY name")))
		}, env.patience)

		It("is not dropped if that would change rows outside", func(ctx SpecContext) {
			env.run(ctx, `CREATE NAMESPACE {ns}_p; CREATE TABLE {ns}_p.t (id INTEGER PRIMARY KEY); INSERT INTO {ns}_p.t VALUES (1);
				CREATE TABLE {ns}.c (t REFERENCES {ns}_p.t(id) ON DELETE CASCADE); INSERT INTO {ns}.c VALUES (1), (NULL)`)
			refused(ctx, "DROP NAMESPACE {ns}_p CASCADE", "FOREIGN KEY constraint failed")
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.c")).To(HaveRows(Row(2)))
			env.run(ctx, "DELETE FROM {ns}.c WHERE t = 1; DROP NAMESPACE {ns}_p CASCADE")
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.c")).To(HaveRows(Row(1)))
		}, env.patience)

		It("is known to a node that was away", Label("fault:isolate"), func(ctx SpecContext) {
			env.needs(3)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.leave(ctx, 2)
			env.patiently(ctx, `CREATE NAMESPACE {ns}_s; CREATE TABLE {ns}_s.t (v); CREATE TABLE {ns}_s.u (v); CREATE TABLE "{ns}_s.csv" (v)`)
			env.patiently(ctx, "ALTER TABLE {ns}_s.u RENAME TO w")
			env.comeBack(ctx, 2)
			env.runOn(ctx, env.node(2), "DROP NAMESPACE {ns}_s CASCADE")
			names := env.sql("SELECT name FROM sqlite_schema WHERE name LIKE '{ns}_s%'")
			Expect(env.cluster).To(BeConsistent(names))
			Expect(env.run(ctx, names)).To(HaveRows(Row(env.ns + "_s.csv")))
		}, env.patience)
	})

	Describe("The database itself", Label("suite:namespaces", "needs:sqlite"), func() {
		BeforeEach(assumptions)

		It("has tables that triggers cannot write", func(ctx SpecContext) {
			env.run(ctx, `CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v); INSERT INTO {ns}.t VALUES (1, 1);
				CREATE TABLE {ns}.c (t REFERENCES t ON DELETE CASCADE); INSERT INTO {ns}.c VALUES (1)`)
			env.run(ctx, "CREATE TRIGGER {ns}.a AFTER INSERT ON t BEGIN INSERT INTO rejoin_namespaces VALUES ('{ns}_more'); END")
			env.run(ctx, "CREATE TRIGGER {ns}.d AFTER DELETE ON c BEGIN DELETE FROM rejoin_namespaces; END")
			refused(ctx, "INSERT INTO {ns}.t VALUES (2, 2)", "belong to the database itself")
			refused(ctx, "DELETE FROM {ns}.t", "belong to the database itself")
			refused(ctx, "CREATE TRIGGER {ns}.n AFTER INSERT ON main.rejoin_namespaces BEGIN SELECT 1; END", "must be in one namespace")
			refused(ctx, "CREATE TRIGGER n AFTER INSERT ON rejoin_namespaces BEGIN SELECT 1; END", "belong to the database itself")
			env.run(ctx, "CREATE NAMESPACE {ns}_e; DROP NAMESPACE {ns}_e")
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(1)))
			Expect(env.run(ctx, "SELECT count(*) FROM rejoin_namespaces WHERE name LIKE '{ns}%'")).To(HaveRows(Row(1)))
		}, env.patience)

		It("serves EXPLAIN and table_info as reads on every node", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, level := range []target.Consistency{target.Local, target.Leader, target.Strong} {
				for _, sql := range []string{
					"EXPLAIN QUERY PLAN UPDATE {ns}.t SET v = 'x' WHERE id = 1", "EXPLAIN INSERT INTO {ns}.t VALUES (1, 'x')", "EXPLAIN DROP TABLE {ns}.t",
				} {
					results, err := env.cluster.Reading(level).ExecuteOnAll(ctx, env.sql(sql))
					Expect(err).NotTo(HaveOccurred(), sql)
					for _, r := range results {
						Expect(r.Rows()).NotTo(BeEmpty(), sql)
					}
				}
				for _, function := range []string{"pragma_table_info", "pragma_table_xinfo"} {
					sql := "SELECT name, type FROM " + function + "('{ns}.t')"
					Expect(env.cluster.Reading(level).ExecuteOnAll(ctx, env.sql(sql))).To(HaveRows(Row("id", "INTEGER"), Row("v", "TEXT")), sql)
				}
				results, err := env.cluster.Reading(level).ExecuteOnAll(ctx, env.sql("PRAGMA table_info({ns}.t)"))
				Expect(err).NotTo(HaveOccurred())
				for _, r := range results {
					Expect(r.Rows()).To(HaveLen(2))
				}
			}
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(0)))
			refused(ctx, "PRAGMA user_version = 1", "PRAGMA user_version is refused")
			refused(ctx, "INSERT INTO {ns}.t VALUES (1, 'x'); EXPLAIN DELETE FROM {ns}.t", "EXPLAIN is refused")
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(0)))
		}, env.patience)
	})

	Describe("Local time", Label("suite:namespaces", "needs:sqlite"), func() {
		BeforeEach(assumptions)

		// zoned are expressions with time zone modifiers, and their values in UTC.
		zoned := [][2]string{
			{"datetime('2024-07-01 12:34:56', 'localtime')", "2024-07-01 12:34:56"},
			{"datetime('2024-07-01 12:34:56', 'utc')", "2024-07-01 12:34:56"},
			{"date('2024-01-01 00:10', 'LocalTime')", "2024-01-01"},
			{"time('2024-11-03 23:50', 'utc', '+20 minutes')", "00:10:00"},
			{"strftime('%F %T', 1700000000, 'unixepoch', 'localtime')", "2023-11-14 22:13:20"},
			{"datetime('1950-06-01 00:30', 'localtime')", "1950-06-01 00:30:00"},
			{"CAST(unixepoch('2040-02-29', 'utc') AS TEXT)", "2214086400"},
		}

		It("is UTC on every node, whatever the time zone of its process", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.z (id INTEGER PRIMARY KEY, at TEXT, made TEXT DEFAULT (datetime(1700000000, 'unixepoch', 'localtime')))")
			var stored [][]any
			for i, z := range zoned {
				env.run(ctx, fmt.Sprintf("INSERT INTO {ns}.z (id, at) VALUES (?, %s)", z[0]), i)
				stored = append(stored, Row(z[1], "2023-11-14 22:13:20"))
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.z ORDER BY id")))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT at, made FROM {ns}.z ORDER BY id"))).To(HaveRows(stored...))

			By("evaluating it in reads")
			for _, z := range zoned {
				Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, "SELECT "+z[0])).To(HaveRows(Row(z[1])), z[0])
			}
		}, env.patience)
	})
}
