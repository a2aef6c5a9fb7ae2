package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func snapshot(env *environment) {
	When("a node is away until the log it needs is compacted", Label("suite:snapshot", "fault:isolate", "needs:compacts"), func() {
		recovers := func(ctx SpecContext, mode fault.Mode, options ...harness.ReturnOption) {
			env.needs(3)
			env.assumes(target.Compacts)
			env.openShop(ctx)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			const victim = 1
			before := statusOf(ctx, env.node(victim))
			env.leave(ctx, victim, mode)

			By("writing until every online node has taken two snapshots")
			// After two snapshots the log has nothing left of what the node needs.
			passed := make(map[int]uint64)
			snapshots := make(map[int]int)
			env.eventually(ctx, func(g Gomega, ctx SpecContext) {
				for range 100 {
					_, err := env.cluster.ExecuteWithRetry(ctx, env.sql("UPDATE {ns}.orders SET total = total + 1, receipt = randomblob(8)"))
					g.Expect(err).NotTo(HaveOccurred())
				}
				for _, node := range env.cluster.OnlineNodes() {
					taken := statusOf(ctx, node).SnapshotIndex
					if taken > before.CommitIndex && taken > passed[node.Index()] {
						passed[node.Index()] = taken
						snapshots[node.Index()]++
					}
					g.Expect(snapshots[node.Index()]).To(BeNumerically(">=", 2), "%s has not compacted its log twice", node)
				}
			}).WithTimeout(env.pace.work()).Should(Succeed())
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'after the snapshot')")

			By("bringing it back")
			if mode == fault.Isolate {
				Expect(statusOf(ctx, env.node(victim)).Restores).To(Equal(before.Restores))
			}
			env.comeBackAs(ctx, victim, options...)
			Expect(statusOf(ctx, env.node(victim)).Restores).To(BeNumerically(">", before.Restores), "it recovered without a snapshot")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.orders"), env.sql("SELECT * FROM {ns}.customers ORDER BY id")))
			Expect(env.node(victim).Reading(target.Local).Execute(ctx, env.sql("SELECT name FROM {ns}.customers WHERE id = 5"))).To(
				HaveRows(Row("after the snapshot")))

			By("replicating from the log again")
			env.patiently(ctx, "DELETE FROM {ns}.orders WHERE id = 1")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.orders ORDER BY id")))
		}

		It("it recovers from a snapshot", func(ctx SpecContext) { recovers(ctx, fault.Isolate) }, env.patience)

		It("it recovers from a snapshot on an empty disk", Label("fault:crash", "fault:wipe"), func(ctx SpecContext) {
			env.requires(target.Crash, target.Members)
			recovers(ctx, fault.Crash, harness.Wiped)
		}, env.patience)
	})
}
