package specs

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func minority(env *environment) {
	When("a minority is isolated", Label("suite:minority", "fault:isolate"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// cutOff isolates the node and sends it a write and a read at Leader, past the fault and
		// at once, because the node refuses each only after a while without a leader.
		cutOff := func(ctx SpecContext, alone int) {
			env.leave(ctx, alone)
			var refused sync.WaitGroup
			refused.Go(func() {
				defer GinkgoRecover()
				// An isolated leader does not know it before its lease ends.
				env.eventually(ctx, func() error {
					_, err := env.node(alone).Inside().Reading(target.Leader).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
					return err
				}).Should(HaveOccurred(), "the minority still serves reads as a leader")
			})
			_, err := env.node(alone).Inside().Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (1, 'by the minority')"))
			refused.Wait()
			Expect(err).To(HaveOccurred(), "the minority committed a write")
			Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied))
			Expect(err).To(env.beRefused())

			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1, 'by the majority')")
			Expect(env.run(ctx, "SELECT v FROM {ns}.t")).To(HaveRows(Row("by the majority")))
			_, err = env.node(alone).Inside().Reading(target.Strong).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
			Expect(err).To(HaveOccurred(), "the minority served a stale strong read")

			env.comeBack(ctx, alone)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT id, v FROM {ns}.t"))).To(And(
				HaveLen(env.cluster.Size()), HaveRows(Row(1, "by the majority"))))
		}

		It("it refuses writes, the majority commits, and no write of the minority survives", func(ctx SpecContext) {
			cutOff(ctx, 0)
		}, env.patience)

		It("the same holds for a leader with an uncommitted entry in its log", func(ctx SpecContext) {
			leader := env.leader(ctx)
			cutOff(ctx, leader)
			env.eventually(ctx, env.cluster).Should(HaveLeader())
		}, env.patience)
	})
}
