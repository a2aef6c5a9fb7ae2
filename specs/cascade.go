package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func cascade(w *world) {
	When("one node after the other leaves", Label("suite:cascade", "fault:isolate"), func() {
		It("leaves the last one to serve local reads and refuse writes, until the others return", func(ctx SpecContext) {
			w.needs(3)
			w.openShop(ctx)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			last := w.cluster.Size() - 1

			By("leaving one at a time, with a write after each as long as there is a quorum")
			for i := range last {
				w.leave(ctx, i)
				if len(w.cluster.OnlineNodes()) >= w.cluster.Quorum() {
					w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (?, 'written meanwhile')", 100+i)
					Eventually(ctx, w.node(last)).Should(HaveCaughtUp())
				}
			}
			Expect(w.cluster.OnlineNodes()).To(HaveLen(1))

			By("reading and writing on the last one")
			count := w.sql("SELECT count(*) FROM {ns}.customers")
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, count)).To(HaveRows(Row(4 + w.cluster.Size() - w.cluster.Quorum())))
			begun := time.Now()
			_, err := w.cluster.ExecuteOnRandom(ctx, w.sql("INSERT INTO {ns}.customers (id, name) VALUES (200, 'refused')"))
			Expect(codeOf(err)).To(BeElementOf("NO_LEADER", "NO_QUORUM"), "%v", err)
			Expect(time.Since(begun)).To(BeNumerically("<", 10*time.Second))

			By("returning, the first to leave last")
			for i := last - 1; i >= 0; i-- {
				Expect(w.cluster.BringNodeOnline(ctx, i)).To(Succeed())
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range w.cluster.Nodes() {
				Eventually(ctx, node).Should(And(BeOnline(), HaveCaughtUp()))
			}
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.customers")))
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (201, 'accepted')")
		}, patience)
	})
}
