package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func cascade(env *environment) {
	When("nodes leave one after the other", Label("suite:cascade", "fault:isolate"), func() {
		It("the last one serves local reads and refuses writes until the others return", func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.ReadsAlone)
			env.openShop(ctx)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			last := env.cluster.Size() - 1

			By("isolating one node at a time, with a write after each while there is a quorum")
			for i := range last {
				env.leave(ctx, i)
				if len(env.cluster.OnlineNodes()) >= env.cluster.Quorum() {
					env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (?, 'written meanwhile')", 100+i)
					env.eventually(ctx, env.node(last)).Should(HaveCaughtUp())
				}
			}
			Expect(env.cluster.OnlineNodes()).To(HaveLen(1))

			By("reading and writing on the last node")
			count := env.sql("SELECT count(*) FROM {ns}.customers")
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, count)).To(HaveRows(Row(4 + env.cluster.Size() - env.cluster.Quorum())))
			begun := time.Now()
			_, err := env.cluster.ExecuteOnRandom(ctx, env.sql("INSERT INTO {ns}.customers (id, name) VALUES (200, 'refused')"))
			Expect(err).To(env.beRefused())
			Expect(time.Since(begun)).To(BeNumerically("<", env.pace.refusal()))

			By("returning in reverse order")
			for i := last - 1; i >= 0; i-- {
				Expect(env.cluster.BringNodeOnline(ctx, i)).To(Succeed())
			}
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			for _, node := range env.cluster.Nodes() {
				env.eventually(ctx, node).Should(And(BeOnline(), HaveCaughtUp()))
			}
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.customers")))
			env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (201, 'accepted')")
		}, env.patience)
	})
}
