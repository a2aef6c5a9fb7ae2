package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func snapshot(w *world) {
	When("a node stays away until the log it needs is gone", Label("suite:snapshot", "fault:isolate"), func() {
		recovers := func(ctx SpecContext, way harness.Way, options ...harness.Return) {
			w.needs(3)
			w.openShop(ctx)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			const victim = 1
			before := statusOf(ctx, w.node(victim))
			w.leave(ctx, victim, way)

			By("writing until every online node has taken snapshots well past where the node is")
			// Two snapshots past it leave nothing of the log that the node needs.
			passed := make(map[int]uint64)
			snapshots := make(map[int]int)
			Eventually(ctx, func(g Gomega, ctx SpecContext) {
				for range 100 {
					_, err := w.cluster.ExecuteWithRetry(ctx, w.sql("UPDATE {ns}.orders SET total = total + 1, receipt = randomblob(8)"))
					g.Expect(err).NotTo(HaveOccurred())
				}
				for _, node := range w.cluster.OnlineNodes() {
					taken := statusOf(ctx, node).SnapshotIndex
					if taken > before.CommitIndex && taken > passed[node.Index()] {
						passed[node.Index()] = taken
						snapshots[node.Index()]++
					}
					g.Expect(snapshots[node.Index()]).To(BeNumerically(">=", 2), "%s has not compacted its log twice", node)
				}
			}).WithTimeout(lastingWork).Should(Succeed())
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'after the snapshot')")

			By("coming back")
			if way == harness.Isolate {
				Expect(statusOf(ctx, w.node(victim)).Restores).To(Equal(before.Restores))
			}
			w.comeBackAs(ctx, victim, options...)
			Expect(statusOf(ctx, w.node(victim)).Restores).To(BeNumerically(">", before.Restores), "it recovered without a snapshot")
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.orders"), w.sql("SELECT * FROM {ns}.customers ORDER BY id")))
			Expect(w.node(victim).Reading(target.Local).Execute(ctx, w.sql("SELECT name FROM {ns}.customers WHERE id = 5"))).To(HaveRows(Row("after the snapshot")))

			By("going on by the log")
			w.patiently(ctx, "DELETE FROM {ns}.orders WHERE id = 1")
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.orders ORDER BY id")))
		}

		It("recovers by a snapshot", func(ctx SpecContext) { recovers(ctx, harness.Isolate) }, patience)

		It("recovers by a snapshot on a disk that is empty", Label("fault:crash", "fault:wipe"), func(ctx SpecContext) {
			w.requires(target.Crash, target.Members)
			recovers(ctx, harness.Crash, harness.Wiped)
		}, patience)
	})
}
