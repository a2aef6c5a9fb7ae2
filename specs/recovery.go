package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func recovery(w *world) {
	Describe("Recovery", Label("suite:recovery", "fault:isolate"), func() {
		const all = "SELECT * FROM {ns}.customers ORDER BY id"

		// awayAndBack is the story that every recovery tells.
		awayAndBack := func(ctx SpecContext, victim int) {
			w.needs(3)
			w.openShop(ctx)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())

			By("taking the node offline while the others go on")
			w.leave(ctx, victim)
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			w.patiently(ctx, "UPDATE {ns}.customers SET name = 'Ada Lovelace' WHERE id = 1")
			Expect(w.cluster).To(BeConsistent(w.sql(all)))

			By("looking inside the node that is away: it really is behind")
			for _, node := range w.cluster.OnlineNodes() {
				Eventually(ctx, node).Should(HaveCaughtUp())
			}
			Expect(w.node(victim)).NotTo(HaveCaughtUp())
			inside := w.node(victim).Inside().Reading(target.Local)
			Expect(inside.Execute(ctx, w.sql("SELECT id, name FROM {ns}.customers ORDER BY id"))).To(
				HaveRows(Row(1, "Ada"), Row(2, "Grace"), Row(3, "Édouard"), Row(4, "林")))

			By("bringing it back")
			w.comeBack(ctx, victim)
			Eventually(ctx, w.node(victim)).Should(And(BeOnline(), HaveCaughtUp()))
			Expect(w.cluster).To(BeConsistent(w.sql(all), w.sql("SELECT * FROM {ns}.orders")))
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, w.sql("SELECT id, name FROM {ns}.customers ORDER BY id"))).To(And(
				HaveLen(w.cluster.Size()),
				HaveRows(Row(1, "Ada Lovelace"), Row(2, "Grace"), Row(3, "Édouard"), Row(4, "林"), Row(5, "Edsger"))))
		}

		DescribeTable("brings a node back to exactly what the others hold",
			awayAndBack,
			Entry("when node 0 was away", patience, 0),
			Entry("when node 1 was away", patience, 1),
			Entry("when node 2 was away", patience, 2),
		)

		When("the node that goes away is the leader", func() {
			It("goes on under another leader, and the old one comes back as it is now", func(ctx SpecContext) {
				old := w.leader(ctx)
				term := statusOf(ctx, w.node(old)).Term
				awayAndBack(ctx, old)
				Expect(statusOf(ctx, w.node(old)).Term).To(BeNumerically(">", term), "nobody else was elected")
			}, patience)
		})

		When("the node that goes away is a follower", func() {
			It("does not disturb the leader", func(ctx SpecContext) {
				awayAndBack(ctx, w.others(w.leader(ctx))[0])
				w.undisturbed(ctx, func(leader int) {
					follower := w.others(leader)[0]
					w.leave(ctx, follower)
					w.patiently(ctx, "UPDATE {ns}.customers SET name = name || '!'")
					Expect(w.node(follower)).NotTo(HaveCaughtUp())
					w.comeBack(ctx, follower)
				})
			}, patience)
		})

		It("survives ten times in a row", func(ctx SpecContext) {
			w.needs(3)
			w.run(ctx, "CREATE TABLE {ns}.visits (id INTEGER PRIMARY KEY, round INTEGER)")
			for round := range 10 {
				victim := round % w.cluster.Size()
				w.leave(ctx, victim)
				w.patiently(ctx, "INSERT INTO {ns}.visits (round) VALUES (?)", round)
				Expect(w.node(victim)).NotTo(HaveCaughtUp())
				w.comeBack(ctx, victim)
				Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.visits")))
			}
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, w.sql("SELECT count(*), sum(round) FROM {ns}.visits"))).To(HaveRows(Row(10, 45)))
		}, patience)
	})
}
