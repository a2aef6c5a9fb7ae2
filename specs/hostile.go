package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
)

// endlessRows has rows without an end.
const endlessRows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "

// hundredRows has a hundredRows rows.
const hundredRows = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100) "

func hostileStatements(env *environment) {
	Describe("Statements that want too much", Label("suite:hostile"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v)")
		})

		DescribeTable("are answered, and every node goes on, equal to the others", func(ctx SpecContext, sql string) {
			for range 2 {
				// Whether it is refused is the database's own affair. It may not stop a node.
				_, _ = env.cluster.ExecuteOnRandom(ctx, env.sql(sql))
				env.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('after')")
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i := range env.cluster.Size() {
				env.runOn(ctx, env.node(i), "INSERT INTO {ns}.t (v) VALUES ('by each node')")
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT id, length(v) FROM {ns}.t")))
		},
			Entry("in one step, over a long text", env.patience,
				"INSERT INTO {ns}.t (v) SELECT instr(h, substr(h, 1, 15000000) || '1') FROM (SELECT hex(zeroblob(7500000)) AS h)"),
			Entry("in one step, by a pattern", env.patience,
				"INSERT INTO {ns}.t (v) SELECT h LIKE '%' || substr(h, 1, 24000) || '1' FROM (SELECT hex(zeroblob(3000000)) AS h)"),
			Entry("of memory, to make rows distinct", env.patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT count(*) FROM (SELECT DISTINCT randomblob(1000000) FROM c LIMIT 5000)"),
			Entry("of memory, for rows to return", env.patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT zeroblob(10000000) FROM c LIMIT 1000 RETURNING id"),
			Entry("of memory, to gather rows", env.patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT length(group_concat(hex(zeroblob(8000000)))) FROM (SELECT x FROM c LIMIT 1000)"),
			Entry("of rows, without an end", env.patience, Label("speed:slow"),
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT x FROM c"),
		)

		It("are no reason to refuse others on a node that has been up for longer", func(ctx SpecContext) {
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

		It("of a read leave the node readable", Label("speed:slow"), func(ctx SpecContext) {
			node := env.node(0)
			_, err := node.Execute(ctx, endlessRows+"SELECT count(*) FROM c")
			Expect(err).To(HaveOccurred(), "it has an end")
			Expect(env.runOn(ctx, node, "SELECT count(*) FROM {ns}.t").Rows()[0][0]).To(BeEquivalentTo(0))
		}, env.patience)
	})
}
