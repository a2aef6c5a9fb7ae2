package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
)

func allOffline(w *world) {
	When("all nodes are offline", Label("suite:all-offline", "fault:isolate"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.openShop(ctx)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i := range w.cluster.Size() {
				w.leave(ctx, i)
			}
			Expect(w.cluster.OnlineNodes()).To(BeEmpty())
		})

		It("fails every statement at once, and says why", func(ctx SpecContext) {
			const message = "no online nodes available in cluster"
			atOnce := time.Now()
			for _, sql := range []string{
				"SELECT 1",
				"SELECT * FROM {ns}.customers",
				"INSERT INTO {ns}.customers (id, name) VALUES (9, 'nobody')",
				"DROP NAMESPACE {ns}",
			} {
				_, err := w.cluster.ExecuteOnRandom(ctx, w.sql(sql))
				Expect(err).To(MatchError(harness.ErrNoNodesOnline))
				Expect(err).To(MatchError(message))

				results, err := w.cluster.ExecuteOnAll(ctx, w.sql(sql))
				Expect(err).To(MatchError(harness.ErrNoNodesOnline))
				Expect(results).To(BeEmpty())
			}
			Expect(w.cluster.VerifyDataConsistency(ctx, w.sql("SELECT * FROM {ns}.customers"))).To(MatchError(harness.ErrNoNodesOnline))
			Expect(time.Since(atOnce)).To(BeNumerically("<", time.Second), "it waited for something")
		}, patience)

		It("has kept what was written before, and takes writes again, once all are back", func(ctx SpecContext) {
			for i := range w.cluster.Size() {
				Expect(w.cluster.BringNodeOnline(ctx, i)).To(Succeed())
			}
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			Eventually(ctx, w.cluster).Should(HaveLeader())
			Expect(w.run(ctx, "SELECT count(*) FROM {ns}.customers")).To(HaveRows(Row(4)))
			w.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.customers")))
			Expect(w.run(ctx, "SELECT name FROM {ns}.customers WHERE id = 5")).To(HaveRows(Row("Edsger")))
		}, patience)
	})
}
