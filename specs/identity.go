package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// aWhile is long enough for many elections at the pace of the targets.
const aWhile = 2 * time.Second

func identities(w *world) {
	Describe("A node whose disk was emptied", Label("suite:identity", "fault:disk", "fault:crash"), func() {
		const rows = 20
		const count = "SELECT count(*) FROM {ns}.t"

		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Disks, target.Members, target.Crash)
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		empty := func(ctx SpecContext, node int) {
			GinkgoHelper()
			Expect(w.cluster.Damage(ctx, node, disk.Everything)).Error().NotTo(HaveOccurred())
		}

		leads := func(nodes ...int) func(context.Context) bool {
			return func(ctx context.Context) bool {
				for _, node := range nodes {
					status, err := w.node(node).Status(ctx)
					if err == nil && (status.Role == "leader" || len(status.LedTerms) > 0) {
						return true
					}
				}
				return false
			}
		}

		It("does not vote: what it had acknowledged is not lost", func(ctx SpecContext) {
			leader := w.leader(ctx)
			others := w.others(leader)
			spare := w.cluster.Size() - w.cluster.Quorum()
			behind, emptied := others[:spare], others[spare:]
			for _, node := range behind {
				w.leave(ctx, node, harness.Crash)
			}
			for id := range rows {
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", id)
			}
			for _, node := range append([]int{leader}, emptied...) {
				w.leave(ctx, node, harness.Crash)
			}
			for _, node := range emptied {
				empty(ctx, node)
			}

			By("starting all but the one that still has the rows")
			for _, node := range others {
				Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed())
			}
			Consistently(ctx, leads(others...)).WithTimeout(aWhile).Should(BeFalse(), "nodes that lack acknowledged rows elect a leader")

			By("starting that one")
			Expect(w.cluster.BringNodeOnline(ctx, leader)).To(Succeed())
			for _, node := range append([]int{leader}, behind...) {
				Expect(w.cluster.WaitForNodeOnline(ctx, node)).To(Succeed())
			}
			Expect(w.node(leader).ExecuteWithRetry(ctx, w.sql(count))).To(HaveRows(Row(rows)))

			By("replacing those that were emptied")
			for _, node := range emptied {
				w.leave(ctx, node, harness.Crash)
				w.comeBackAs(ctx, node, harness.Wiped)
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(w.run(ctx, count)).To(HaveRows(Row(rows)))
		}, patience)

		It("does not come online by itself, and disturbs no other node", func(ctx SpecContext) {
			leader := w.leader(ctx)
			victim := w.others(leader)[0]
			w.leave(ctx, victim, harness.Crash)
			empty(ctx, victim)
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			Expect(w.cluster.BringNodeOnline(ctx, victim)).To(Succeed())
			Consistently(ctx, w.node(victim)).WithTimeout(aWhile).ShouldNot(BeOnline())
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (2)")
			Eventually(ctx, func(ctx context.Context) string { return statusOf(ctx, w.node(victim)).Reason }).
				Should(ContainSubstring(w.node(victim).ID()), "it does not say why")

			By("replacing it")
			w.leave(ctx, victim, harness.Crash)
			w.comeBackAs(ctx, victim, harness.Wiped)
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))
			Expect(w.run(ctx, count)).To(HaveRows(Row(2)))
		}, patience)
	})
}
