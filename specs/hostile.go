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

func hostileStatements(w *world) {
	Describe("Statements that want too much", Label("suite:hostile"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v)")
		})

		DescribeTable("are answered, and every node goes on, equal to the others", func(ctx SpecContext, sql string) {
			for range 2 {
				// Whether it is refused is the database's own affair. It may not stop a node.
				_, _ = w.cluster.ExecuteOnRandom(ctx, w.sql(sql))
				w.patiently(ctx, "INSERT INTO {ns}.t (v) VALUES ('after')")
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i := range w.cluster.Size() {
				w.runOn(ctx, w.node(i), "INSERT INTO {ns}.t (v) VALUES ('by each node')")
			}
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT id, length(v) FROM {ns}.t")))
		},
			Entry("in one step, over a long text", patience,
				"INSERT INTO {ns}.t (v) SELECT instr(h, substr(h, 1, 15000000) || '1') FROM (SELECT hex(zeroblob(7500000)) AS h)"),
			Entry("in one step, by a pattern", patience,
				"INSERT INTO {ns}.t (v) SELECT h LIKE '%' || substr(h, 1, 24000) || '1' FROM (SELECT hex(zeroblob(3000000)) AS h)"),
			Entry("of memory, to make rows distinct", patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT count(*) FROM (SELECT DISTINCT randomblob(1000000) FROM c LIMIT 5000)"),
			Entry("of memory, for rows to return", patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT zeroblob(10000000) FROM c LIMIT 1000 RETURNING id"),
			Entry("of memory, to gather rows", patience,
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT length(group_concat(hex(zeroblob(8000000)))) FROM (SELECT x FROM c LIMIT 1000)"),
			Entry("of rows, without an end", patience, Label("speed:slow"),
				"INSERT INTO {ns}.t (v) "+endlessRows+"SELECT x FROM c"),
		)

		It("are no reason to refuse others on a node that has been up for longer", func(ctx SpecContext) {
			w.needs(3)
			dear := func(times int) {
				for range times {
					w.patiently(ctx, "INSERT INTO {ns}.t (v) "+hundredRows+"SELECT x FROM c")
				}
			}
			dear(3)
			w.leave(ctx, 1)
			dear(1)
			w.comeBack(ctx, 1)
			dear(3)
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT count(*) FROM {ns}.t"), w.sql("SELECT id, v FROM {ns}.t")))
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.t").Rows()[0][0]).To(BeEquivalentTo(700))
		}, patience)

		It("of a read leave the node readable", Label("speed:slow"), func(ctx SpecContext) {
			node := w.node(0)
			_, err := node.Execute(ctx, endlessRows+"SELECT count(*) FROM c")
			Expect(err).To(HaveOccurred(), "it has an end")
			Expect(w.runOn(ctx, node, "SELECT count(*) FROM {ns}.t").Rows()[0][0]).To(BeEquivalentTo(0))
		}, patience)
	})
}
