package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// diverging are specs about the check at the end of every spec that all nodes hold the same
// data: one node is made to differ, past its log.
func diverging(env *environment) {
	Describe("A diverged replica", Label("suite:diverging", "needs:diverge", "needs:sqlite"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Diverge)
			env.assumes(target.SQLite, target.SystemTables)
			env.run(ctx, `CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, k INTEGER, v TEXT DEFAULT 'd'); CREATE TABLE {ns}.plain (v);
				CREATE TABLE {ns}_main (v);
				CREATE TABLE {ns}.keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE {ns}.counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
					CREATE VIEW {ns}_shown AS SELECT 1 AS one`)
			env.run(ctx, `INSERT INTO {ns}.t VALUES (1, 7, 'a'), (2, 7, 'b'), (3, 8, 'c'); INSERT INTO {ns}.plain VALUES ('x'), ('y'), (2),
				(0.0), (NULL); INSERT INTO {ns}.keyed VALUES ('k', 1); INSERT INTO {ns}.counted VALUES (1, 'n')`)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(env.cluster.VerifyInvariants(ctx)).To(Succeed())
		})

		diverge := func(ctx context.Context, node *harness.Node, sql string) {
			GinkgoHelper()
			Expect(node.Diverge(ctx, env.sql(sql))).To(Succeed(), sql)
		}

		// secrets are differences that ordinary queries do not show, and how to undo them.
		secrets := []struct{ name, do, undo string }{
			{"a view", "CREATE VIEW {ns}.w AS SELECT 1 AS one", "DROP VIEW {ns}.w"},
			{"a trigger", "CREATE TRIGGER {ns}.g AFTER INSERT ON t BEGIN SELECT 1; END", "DROP TRIGGER {ns}.g"},
			{"an index", "CREATE INDEX {ns}.i ON t (v)", "DROP INDEX {ns}.i"},
			{"a view of no namespace", "CREATE VIEW {ns}_w AS SELECT 1 AS one", "DROP VIEW {ns}_w"},
			{"a trigger of no namespace", "CREATE TRIGGER {ns}_g AFTER INSERT ON {ns}_main BEGIN SELECT 1; END", "DROP TRIGGER {ns}_g"},
			{"an index of no namespace", "CREATE INDEX {ns}_i ON {ns}_main (v)", "DROP INDEX {ns}_i"},
			{"a table of no namespace", "CREATE TABLE {ns}_more (v)", "DROP TABLE {ns}_more"},
			{"what a view shows", "DROP VIEW {ns}_shown; CREATE VIEW {ns}_shown AS SELECT 2 AS one",
				"DROP VIEW {ns}_shown; CREATE VIEW {ns}_shown AS SELECT 1 AS one"},
			{"a table without rows", "CREATE TABLE {ns}.more (v)", "DROP TABLE {ns}.more"},
			{"a counter", "INSERT INTO {ns}.counted VALUES (9, 'n'); DELETE FROM {ns}.counted WHERE id = 9",
				"UPDATE sqlite_sequence SET seq = 1 WHERE name = '{ns}.counted'"},
			{"a value", "UPDATE {ns}.t SET v = 'z' WHERE id = 3", "UPDATE {ns}.t SET v = 'c' WHERE id = 3"},
			{"the type of a value", "UPDATE {ns}.plain SET v = x'78' WHERE v = 'x'", "UPDATE {ns}.plain SET v = 'x' WHERE v = x'78'"},
			{"a whole number that is a float", "UPDATE {ns}.plain SET v = 2.0 WHERE v = 2", "UPDATE {ns}.plain SET v = 2 WHERE v = 2"},
			{"a sign of zero", "UPDATE {ns}.plain SET v = -0.0 WHERE rowid = 4", "UPDATE {ns}.plain SET v = 0.0 WHERE rowid = 4"},
			{"NULL that is an empty text", "UPDATE {ns}.plain SET v = '' WHERE v IS NULL", "UPDATE {ns}.plain SET v = NULL WHERE v = ''"},
			{"a row of a table that has no row numbers", "UPDATE {ns}.keyed SET v = 2 WHERE k = 'k'", "UPDATE {ns}.keyed SET v = 1 WHERE k = 'k'"},
			{"a row more", "INSERT INTO {ns}.t VALUES (4, 9, 'd')", "DELETE FROM {ns}.t WHERE id = 4"},
			{"a row less", "DELETE FROM {ns}.t WHERE id = 2", "INSERT INTO {ns}.t VALUES (2, 7, 'b')"},
			{"the number of a row", "UPDATE {ns}.plain SET rowid = 9 WHERE rowid = 5", "UPDATE {ns}.plain SET rowid = 5 WHERE rowid = 9"},
			{"a column with its default", "ALTER TABLE {ns}.t ADD COLUMN more TEXT DEFAULT 'm'", "ALTER TABLE {ns}.t DROP COLUMN more"},
			{"the name of a column", "ALTER TABLE {ns}.t RENAME COLUMN v TO u", "ALTER TABLE {ns}.t RENAME COLUMN u TO v"},
			{"a namespace", "INSERT INTO rejoin_namespaces VALUES ('{ns}_one')", "DELETE FROM rejoin_namespaces WHERE name = '{ns}_one'"},
			{"what is in a namespace", "UPDATE rejoin_objects SET namespace = 'main' WHERE name = '{ns}.plain'",
				"UPDATE rejoin_objects SET namespace = '{ns}' WHERE name = '{ns}.plain'"},
			{"which requests were applied", "INSERT INTO rejoin_requests VALUES (-1, 'never sent', NULL, NULL, 0, x'00')",
				"DELETE FROM rejoin_requests WHERE log_index = -1"},
			{"which requests a node has sent", "INSERT INTO rejoin_tickets VALUES (-1, x'00', NULL, NULL)",
				"DELETE FROM rejoin_tickets WHERE log_index = -1"},
			{"an answer that is kept", "INSERT INTO rejoin_answers VALUES (-1, x'00')", "DELETE FROM rejoin_answers WHERE ends = -1"},
		}

		It("is found by its digest, whatever the difference and the node", func(ctx SpecContext) {
			for i, secret := range secrets {
				nodes := env.cluster.Nodes()
				if i > 0 { // the first difference on all nodes, the others in turn
					nodes = nodes[i%len(nodes):][:1]
				}
				for _, node := range nodes {
					diverge(ctx, node, secret.do)
					err := env.cluster.VerifyInvariants(ctx)
					Expect(err).To(MatchError(harness.ErrInvariant), "%s on %s alone", secret.name, node)
					Expect(err).To(MatchError(ContainSubstring(node.String())), secret.name)
					diverge(ctx, node, secret.undo)
				}
			}
			Expect(env.cluster.VerifyInvariants(ctx)).To(Succeed(), "a difference was not undone and hid the later ones")
		}, env.patience)

		It("is found by queries that show the difference, and by no others", func(ctx SpecContext) {
			const plain, byKey, all = "SELECT v FROM {ns}.t", "SELECT v FROM {ns}.t ORDER BY k", "SELECT * FROM {ns}.t ORDER BY id"
			for _, node := range env.cluster.Nodes() {
				diverge(ctx, node, "UPDATE {ns}.t SET v = CASE id WHEN 1 THEN 'b' ELSE 'a' END WHERE k = 7")
				Expect(node.Reading(target.Local).Execute(ctx, env.sql(byKey))).To(HaveRows(Row("b"), Row("a"), Row("c")), "it does not differ")
				Expect(env.cluster).To(BeConsistent(env.sql(plain), env.sql("SELECT id, k FROM {ns}.t ORDER BY id")))
				Expect(env.cluster).NotTo(BeConsistent(env.sql(byKey)), "%s returns two rows in another order", node)
				Expect(env.cluster).NotTo(BeConsistent(env.sql(all)))
				Expect(env.cluster).NotTo(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
				diverge(ctx, node, "UPDATE {ns}.t SET v = CASE id WHEN 1 THEN 'a' ELSE 'b' END WHERE k = 7")
				Expect(env.cluster).To(BeConsistent(env.sql(byKey), env.sql(all)))
			}
		}, env.patience)

		It("that lacks an acknowledged request is named", func(ctx SpecContext) {
			env.requires(target.Dedup)
			for _, node := range env.cluster.Nodes() {
				const lost = "(SELECT max(log_index) FROM rejoin_requests)"
				diverge(ctx, node, "CREATE TABLE kept AS SELECT * FROM rejoin_requests WHERE log_index = "+lost+"; DELETE FROM rejoin_requests "+
					"WHERE log_index = "+lost)
				Expect(env.cluster.VerifyInvariants(ctx)).To(MatchError(And(
					ContainSubstring("hold different data"), ContainSubstring("%s lacks 1 acknowledged changes", node))))
				diverge(ctx, node, "INSERT INTO rejoin_requests SELECT * FROM kept; DROP TABLE kept")
				Expect(env.cluster.VerifyInvariants(ctx)).To(Succeed())
			}
		}, env.patience)

		It("is unchanged by a failing statement, and recovers by a restart", Label("fault:stop"), func(ctx SpecContext) {
			node := env.node(1)
			Expect(node.Diverge(ctx, env.sql("INSERT INTO {ns}.t VALUES (5, 5, 'e'); INSERT INTO {ns}.t VALUES (1, 1, 'taken')"))).To(
				MatchError(ContainSubstring("diverge on node 1 (n1)")))
			Expect(env.cluster.VerifyInvariants(ctx)).To(Succeed())
			env.requires(target.Stop)
			diverge(ctx, node, "DELETE FROM {ns}.t")
			Expect(env.cluster).NotTo(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			env.leave(ctx, 1, fault.Stop)
			env.comeBack(ctx, 1)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)
	})
}
