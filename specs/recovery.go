package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func recovery(env *environment) {
	Describe("Recovery", Label("suite:recovery", "fault:isolate"), func() {
		const all = "SELECT * FROM {ns}.customers ORDER BY id"

		// awayAndBack is the sequence that every recovery goes through.
		awayAndBack := func(ctx SpecContext, victim int) {
			env.needs(3)
			env.openShop(ctx)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())

			By("taking the node offline while the others write")
			env.leave(ctx, victim)
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			env.patiently(ctx, "UPDATE {ns}.customers SET name = 'Ada Lovelace' WHERE id = 1")
			Expect(env.cluster).To(BeConsistent(env.sql(all)))

			By("verifying that the node is behind")
			for _, node := range env.cluster.OnlineNodes() {
				env.eventually(ctx, node).Should(HaveCaughtUp())
			}
			Expect(env.node(victim)).NotTo(HaveCaughtUp())
			inside := env.node(victim).Inside().Reading(target.Local)
			env.eventually(ctx, func(ctx context.Context) (harness.Result, error) { // a deposed leader may have to start again
				return inside.Execute(ctx, env.sql("SELECT id, name FROM {ns}.customers ORDER BY id"))
			}).Should(HaveRows(Row(1, "Ada"), Row(2, "Grace"), Row(3, "Édouard"), Row(4, "林")))

			By("bringing it back")
			env.comeBack(ctx, victim)
			env.eventually(ctx, env.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(env.cluster).To(BeConsistent(env.sql(all), env.sql("SELECT * FROM {ns}.orders")))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT id, name FROM {ns}.customers ORDER BY id"))).To(And(
				HaveLen(env.cluster.Size()),
				HaveRows(Row(1, "Ada Lovelace"), Row(2, "Grace"), Row(3, "Édouard"), Row(4, "林"), Row(5, "Edsger"))))
		}

		DescribeTable("ends with the node holding exactly what the others hold",
			awayAndBack,
			Entry("node 0", env.patience, 0),
			Entry("node 1", env.patience, 1),
			Entry("node 2", env.patience, 2),
		)

		When("the leader is isolated", func() {
			It("continues under a new leader, and the old one catches up", func(ctx SpecContext) {
				old := env.leader(ctx)
				term := statusOf(ctx, env.node(old)).Term
				awayAndBack(ctx, old)
				Expect(statusOf(ctx, env.node(old)).Term).To(BeNumerically(">", term), "no other leader was elected")
			}, env.patience)
		})

		When("a follower is isolated", func() {
			It("does not depose the leader", func(ctx SpecContext) {
				env.assumes(target.KeepsTerm)
				awayAndBack(ctx, env.others(env.leader(ctx))[0])
				env.undisturbed(ctx, func(leader int) {
					follower := env.others(leader)[0]
					env.leave(ctx, follower)
					env.patiently(ctx, "UPDATE {ns}.customers SET name = name || '!'")
					Expect(env.node(follower)).NotTo(HaveCaughtUp())
					env.comeBack(ctx, follower)
				})
			}, env.patience)
		})

		It("works ten times in a row", func(ctx SpecContext) {
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.visits (id INTEGER PRIMARY KEY, round INTEGER)")
			for round := range 10 {
				victim := round % env.cluster.Size()
				env.leave(ctx, victim)
				env.patiently(ctx, "INSERT INTO {ns}.visits (round) VALUES (?)", round)
				Expect(env.node(victim)).NotTo(HaveCaughtUp())
				env.comeBack(ctx, victim)
				env.whole(ctx)
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.visits")))
			}
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT count(*), sum(round) FROM {ns}.visits"))).To(
				HaveRows(Row(10, 45)))
		}, env.patience)
	})
}
