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

func identities(env *environment) {
	Describe("A node with an emptied disk", Label("suite:identity", "fault:disk", "fault:crash", "needs:members", "needs:fail-stop"), func() {
		const rows = 20
		const count = "SELECT count(*) FROM {ns}.t"

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Disks, target.Members, target.Crash)
			env.assumes(target.FailStop)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		empty := func(ctx SpecContext, node int) {
			GinkgoHelper()
			Expect(env.cluster.Damage(ctx, node, fault.Everything)).Error().NotTo(HaveOccurred())
		}

		leads := func(nodes ...int) func(context.Context) bool {
			return func(ctx context.Context) bool {
				for _, node := range nodes {
					status, err := env.node(node).Status(ctx)
					if err == nil && (status.Role == "leader" || len(status.LedTerms) > 0) {
						return true
					}
				}
				return false
			}
		}

		It("does not vote, so that acknowledged writes are not lost", func(ctx SpecContext) {
			leader := env.leader(ctx)
			others := env.others(leader)
			spare := env.cluster.Size() - env.cluster.Quorum()
			behind, emptied := others[:spare], others[spare:]
			for _, node := range behind {
				env.leave(ctx, node, fault.Crash)
			}
			for id := range rows {
				env.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", id)
			}
			for _, node := range append([]int{leader}, emptied...) {
				env.leave(ctx, node, fault.Crash)
			}
			for _, node := range emptied {
				empty(ctx, node)
			}

			By("starting all nodes but the one that has the rows")
			for _, node := range others {
				Expect(env.cluster.BringNodeOnline(ctx, node)).To(Succeed())
			}
			env.consistently(ctx, leads(others...)).WithTimeout(env.pace.manyElections()).Should(
				BeFalse(), "nodes without the acknowledged rows have elected a leader")

			By("starting the node that has the rows")
			Expect(env.cluster.BringNodeOnline(ctx, leader)).To(Succeed())
			for _, node := range append([]int{leader}, behind...) {
				Expect(env.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
			}
			Expect(env.node(leader).ExecuteWithRetry(ctx, env.sql(count))).To(HaveRows(Row(rows)))

			By("replacing the emptied nodes")
			for _, node := range emptied {
				env.leave(ctx, node, fault.Crash)
				env.comeBackAs(ctx, node, harness.Wiped)
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(env.run(ctx, count)).To(HaveRows(Row(rows)))
		}, env.patience)

		It("does not come online, and disturbs no other node", func(ctx SpecContext) {
			leader := env.leader(ctx)
			victim := env.others(leader)[0]
			env.leave(ctx, victim, fault.Crash)
			empty(ctx, victim)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			Expect(env.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			env.consistently(ctx, env.node(victim)).WithTimeout(env.pace.manyElections()).ShouldNot(BeOnline())
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
			env.eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, env.node(victim)).Reason }).
				Should(ContainSubstring(env.node(victim).ID()), "its status gives no reason")

			By("replacing the node")
			env.leave(ctx, victim, fault.Crash)
			env.comeBackAs(ctx, victim, harness.Wiped)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(env.run(ctx, count)).To(HaveRows(Row(2)))
		}, env.patience)
	})
}
