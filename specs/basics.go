package specs

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func basics(env *environment) {
	Describe("Basic operations", Label("suite:basics"), func() {
		const people = "SELECT id, name FROM {ns}.people ORDER BY id"

		agreed := func(ctx SpecContext, rows ...[]any) {
			GinkgoHelper()
			Expect(env.cluster).To(BeConsistent(env.sql(people)))
			Expect(env.run(ctx, people)).To(HaveRows(rows...))
		}

		It("are visible on all nodes after each step, whichever node executes it", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.people (id INTEGER PRIMARY KEY, name TEXT)")
			agreed(ctx)
			Expect(env.run(ctx, "INSERT INTO {ns}.people VALUES (1, 'Ada'), (2, 'Grace')").Affected()).To(BeEquivalentTo(2))
			agreed(ctx, Row(1, "Ada"), Row(2, "Grace"))
			Expect(env.run(ctx, "UPDATE {ns}.people SET name = 'Ada L.' WHERE id = 1").Affected()).To(BeEquivalentTo(1))
			agreed(ctx, Row(1, "Ada L."), Row(2, "Grace"))
			Expect(env.run(ctx, "DELETE FROM {ns}.people WHERE id = 2").Affected()).To(BeEquivalentTo(1))
			agreed(ctx, Row(1, "Ada L."))
			Expect(env.run(ctx, "UPDATE {ns}.people SET name = 'Edsger' WHERE id = 2").Affected()).To(
				BeZero(), "it changed a row that does not exist")
			Expect(env.run(ctx, "DELETE FROM {ns}.people WHERE id = 2").Affected()).To(BeZero(), "it deleted a row that does not exist")
			agreed(ctx, Row(1, "Ada L."))
			env.run(ctx, "DROP TABLE {ns}.people")
			_, err := env.cluster.ExecuteOnRandom(ctx, env.sql(people))
			Expect(err).To(HaveOccurred(), "the dropped table still exists")
		}, env.patience)

		It("work on each node in turn, and a node reads its own writes", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.people (id INTEGER PRIMARY KEY, name TEXT)")
			env.assumes(target.OwnWrites)
			var rows [][]any
			for i, node := range env.cluster.Nodes() {
				env.runOn(ctx, node, "INSERT INTO {ns}.people VALUES (?, ?)", i, fmt.Sprintf("by %d", i))
				rows = append(rows, Row(i, fmt.Sprintf("by %d", i)))
				Expect(node.Reading(target.Local).Execute(ctx, env.sql(people))).To(HaveRows(rows...), "%s does not read its own write", node)
			}
			agreed(ctx, rows...)
		}, env.patience)

		It("keep the order of one client, whichever node each goes to", func(ctx SpecContext) {
			env.assumes(target.OrderedKeys)
			env.run(ctx, "CREATE TABLE {ns}.steps (id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER)")
			var rows [][]any
			for step := range 50 {
				env.run(ctx, "INSERT INTO {ns}.steps (step) VALUES (?)", step)
				rows = append(rows, Row(step+1, step))
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.steps")))
			Expect(env.run(ctx, "SELECT id, step FROM {ns}.steps ORDER BY id")).To(HaveRows(rows...))
		}, env.patience)

		It("leave equal empty tables", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.empty (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.empty"), env.sql("SELECT * FROM {ns}.empty ORDER BY id")))
			Expect(env.run(ctx, "SELECT * FROM {ns}.empty")).To(HaveRows())
		}, env.patience)

		It("return every row of a large table on each node", func(ctx SpecContext) {
			const rows = 2500
			env.run(ctx, "CREATE TABLE {ns}.numbers (n INTEGER PRIMARY KEY)")
			env.run(ctx, "INSERT INTO {ns}.numbers WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n",
				rows)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				answer, err := node.Reading(target.Local).Execute(ctx, env.sql("SELECT n FROM {ns}.numbers ORDER BY n"))
				Expect(err).NotTo(HaveOccurred())
				Expect(answer.Rows()).To(HaveLen(rows), "%s omitted rows", node)
				Expect(answer.Rows()[rows-1]).To(Equal(Row(int64(rows))), "%s returned other rows", node)
			}
		}, env.patience)

		It("are atomic when they are one request", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.people (id INTEGER PRIMARY KEY, name TEXT)")
			env.run(ctx, "INSERT INTO {ns}.people VALUES (1, 'Ada'); INSERT INTO {ns}.people VALUES (2, 'Grace')")
			_, err := env.cluster.ExecuteOnRandom(ctx,
				env.sql("INSERT INTO {ns}.people VALUES (3, 'undone'); INSERT INTO {ns}.people VALUES (1, 'taken')"))
			Expect(err).To(HaveOccurred())
			Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
			agreed(ctx, Row(1, "Ada"), Row(2, "Grace"))
		}, env.patience)

		It("keep namespaces apart, and drop one with its tables", func(ctx SpecContext) {
			env.assumes(target.Namespaces)
			env.run(ctx, "CREATE NAMESPACE {ns}_other")
			env.run(ctx, "CREATE TABLE {ns}.people (id INTEGER PRIMARY KEY, name TEXT)")
			env.run(ctx, "CREATE TABLE {ns}_other.people (id INTEGER PRIMARY KEY, name TEXT)")
			env.run(ctx, "INSERT INTO {ns}.people VALUES (1, 'here')")
			env.run(ctx, "INSERT INTO {ns}_other.people VALUES (1, 'there')")
			Expect(env.run(ctx, "SELECT a.name, b.name FROM {ns}.people a JOIN {ns}_other.people b USING (id)")).To(HaveRows(Row("here", "there")))
			env.run(ctx, "DROP NAMESPACE {ns}_other CASCADE")
			_, err := env.cluster.ExecuteOnRandom(ctx, env.sql("SELECT * FROM {ns}_other.people"))
			Expect(err).To(MatchError(target.ErrNoSuchNamespace))
			agreed(ctx, Row(1, "here"))
		}, env.patience)

		It("are visible to strong reads on every node at once", func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.counter (id INTEGER PRIMARY KEY, n INTEGER)")
			env.run(ctx, "INSERT INTO {ns}.counter VALUES (1, 0)")
			for i := 1; i <= 20; i++ {
				if env.cluster.Can(target.Dedup) {
					env.run(ctx, "UPDATE {ns}.counter SET n = n + 1")
				} else { // a retry may apply it twice
					env.run(ctx, "UPDATE {ns}.counter SET n = ?", i)
				}
				var results []harness.Result
				env.eventually(ctx, func(ctx context.Context) (err error) { // a busy machine may end a leadership
					results, err = env.cluster.Reading(target.Strong).ExecuteOnAll(ctx, env.sql("SELECT n FROM {ns}.counter"))
					return err
				}).Should(Succeed())
				Expect(results).To(HaveRows(Row(i)))
			}
		}, env.patience)
	})
}
