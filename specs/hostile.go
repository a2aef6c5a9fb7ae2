package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// endlessRows has rows without an end.
const endlessRows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "

// hundredRows has a hundred rows.
const hundredRows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100) "

func hostileStatements(env *environment) {
	Describe("Excessive statements", Label("suite:hostile", "needs:sqlite"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.assumes(target.SQLite)
			if env.options.Limits.Steps == 0 { // where nothing ends these statements, they fill the disk and the memory
				Skip("specs.Options.Limits does not tell the limits of a request")
			}
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v)")
		})

		DescribeTable("leave every node running and consistent", func(ctx SpecContext, sql string) {
			for range 2 {
				// The database may refuse it. It must not stop a node.
				_, _ = env.cluster.ExecuteOnRandom(ctx, env.sql(sql))
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('after')")
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i := range env.cluster.Size() {
				env.runOn(ctx, env.node(i), "INSERT INTO {ns}.t (v) VALUES ('by each node')")
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT id, length(v) FROM {ns}.t")))
		},
			Entry("one long step over a text", env.patience,
				"INSERT INTO {ns}.t (v) SELECT instr(h, substr(h, 1, 15000000) || '1') FROM (SELECT hex(zeroblob(7500000)) AS h)"),
			Entry("one long step of a pattern", env.patience,
				"INSERT INTO {ns}.t (v) SELECT h LIKE '%' || substr(h, 1, 24000) || '1' FROM (SELECT hex(zeroblob(3000000)) AS h)"),
			Entry("memory for DISTINCT", env.patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT count(*) FROM (SELECT DISTINCT randomblob(1000000) FROM c LIMIT 5000)"),
			Entry("memory for RETURNING", env.patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT zeroblob(10000000) FROM c LIMIT 1000 RETURNING id"),
			Entry("memory for an aggregate", env.patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT length(group_concat(hex(zeroblob(8000000)))) FROM (SELECT x FROM c LIMIT 1000)"),
			Entry("endless rows", env.patience, Label("speed:slow"),
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT x FROM c"),
		)

		It("do not count towards the limits of later statements", func(ctx SpecContext) {
			env.needs(3)
			dear := func(times int) {
				for range times {
					env.patiently(ctx, "INSERT INTO {ns}.t (v) "+hundredRows+"SELECT x FROM c")
				}
			}
			dear(3)
			env.leave(ctx, 1)
			dear(1)
			env.comeBack(ctx, 1)
			dear(3)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT count(*) FROM {ns}.t"), env.sql("SELECT id, v FROM {ns}.t")))
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.t").Rows()[0][0]).To(BeEquivalentTo(700))
		}, env.patience)

		It("that read leave the node readable", Label("speed:slow"), func(ctx SpecContext) {
			node := env.node(0)
			_, err := node.Execute(ctx, endlessRows+"SELECT count(*) FROM c")
			Expect(err).To(HaveOccurred(), "the endless read succeeded")
			Expect(env.runOn(ctx, node, "SELECT count(*) FROM {ns}.t").Rows()[0][0]).To(BeEquivalentTo(0))
		}, env.patience)
	})
}
