package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
)

func allOffline(env *environment) {
	When("all nodes are offline", Label("suite:all-offline", "fault:isolate"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.openShop(ctx)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for i := range env.cluster.Size() {
				env.leave(ctx, i)
			}
			Expect(env.cluster.OnlineNodes()).To(BeEmpty())
		})

		It("fails every statement at once with a reason", func(ctx SpecContext) {
			const message = "no online nodes available in cluster"
			atOnce := time.Now()
			for _, sql := range []string{
				"SELECT 1",
				"SELECT * FROM {ns}.customers",
				"INSERT INTO {ns}.customers (id, name) VALUES (9, 'not written')",
				"DROP NAMESPACE {ns}",
			} {
				_, err := env.cluster.ExecuteOnRandom(ctx, env.sql(sql))
				Expect(err).To(MatchError(harness.ErrNoNodesOnline))
				Expect(err).To(MatchError(message))

				results, err := env.cluster.ExecuteOnAll(ctx, env.sql(sql))
				Expect(err).To(MatchError(harness.ErrNoNodesOnline))
				Expect(results).To(BeEmpty())
			}
			Expect(env.cluster.VerifyDataConsistency(ctx, env.sql("SELECT * FROM {ns}.customers"))).To(MatchError(harness.ErrNoNodesOnline))
			Expect(time.Since(atOnce)).To(BeNumerically("<", time.Second), "it waited for something")
		}, env.patience)

		It("keeps all rows and accepts writes again when the nodes return", func(ctx SpecContext) {
			for i := range env.cluster.Size() {
				Expect(env.cluster.BringNodeOnline(ctx, i)).To(Succeed())
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.eventually(ctx, env.cluster).Should(HaveLeader())
			Expect(env.run(ctx, "SELECT count(*) FROM {ns}.customers")).To(HaveRows(Row(4)))
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (5, 'Edsger')")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.customers")))
			Expect(env.run(ctx, "SELECT name FROM {ns}.customers WHERE id = 5")).To(HaveRows(Row("Edsger")))
		}, env.patience)
	})
}
