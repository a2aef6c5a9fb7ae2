package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func cascade(env *environment) {
	When("one node after the other leaves", Label("suite:cascade", "fault:isolate"), func() {
		It("leaves the last one to serve local reads and refuse writes, until the others return", func(ctx SpecContext) {
			env.needs(3)
			env.openShop(ctx)
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			last := env.cluster.Size() - 1

			By("leaving one at a time, with a write after each as long as there is a quorum")
			for i := range last {
				env.leave(ctx, i)
				if len(env.cluster.OnlineNodes()) >= env.cluster.Quorum() {
					env.patiently(ctx, "INSERT INTO {ns}.customers (id, name) VALUES (?, 'written meanwhile')", 100+i)
					env.eventually(ctx, env.node(last)).Should(HaveCaughtUp())
				}
			}
			Expect(env.cluster.OnlineNodes()).To(HaveLen(1))

			By("reading and writing on the last one")
			count := env.sql("SELECT count(*) FROM {ns}.customers")
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, count)).To(HaveRows(Row(4 + env.cluster.Size() - env.cluster.Quorum())))
			begun := time.Now()
			_, err := env.cluster.ExecuteOnRandom(ctx, env.sql("INSERT INTO {ns}.customers (id, name) VALUES (200, 'refused')"))
			Expect(err).To(beWithoutQuorum())
			Expect(time.Since(begun)).To(BeNumerically("<", env.pace.refusal()))

			By("returning, the first to leave last")
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
