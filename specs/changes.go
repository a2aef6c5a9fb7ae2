package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
)

func changes(w *world) {
	Describe("What changes while a node is away", Label("suite:changes", "fault:isolate"), func() {
		for _, c := range readChanges() {
			It("reaches it when it comes back: "+c.name, func(ctx SpecContext) {
				w.needs(3)
				w.openShop(ctx)
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				const victim = 1
				before := statusOf(ctx, w.node(victim)).AppliedIndex
				w.leave(ctx, victim)

				for _, statement := range c.statements {
					_, err := w.cluster.ExecuteWithRetry(ctx, w.sql(statement)) // while a leader is elected
					if c.fails {
						Expect(err).To(HaveOccurred(), statement)
					} else {
						Expect(err).NotTo(HaveOccurred(), statement)
					}
				}
				for _, node := range w.cluster.OnlineNodes() {
					Eventually(ctx, node).Should(HaveCaughtUp())
				}
				if len(c.statements) > 0 {
					Expect(w.node(victim)).NotTo(HaveCaughtUp())
				}
				Expect(statusOf(ctx, w.node(victim)).AppliedIndex).To(Equal(before), "the node was not cut off")

				w.comeBack(ctx, victim)
				for _, check := range c.checks {
					Expect(w.cluster).To(BeConsistent(w.sql(check)))
				}
			}, patience)
		}
	})
}
