package specs

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func minority(env *environment) {
	When("a minority is cut off", Label("suite:minority", "fault:isolate"), func() {
		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		// cutOff isolates the node and asks it, from beside it, to write, and to
		// read as the leader, both at once: each is refused only after the node has
		// looked for a leader for a while.
		cutOff := func(ctx SpecContext, alone int) {
			env.leave(ctx, alone)
			var refused sync.WaitGroup
			refused.Go(func() {
				defer GinkgoRecover()
				// A leader that is cut off does not know it before its lease ends.
				env.eventually(ctx, func() error {
					_, err := env.node(alone).Inside().Reading(target.Leader).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
					return err
				}).Should(HaveOccurred(), "a minority goes on serving reads as a leader")
			})
			_, err := env.node(alone).Inside().Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (1, 'of the minority')"))
			refused.Wait()
			Expect(err).To(HaveOccurred(), "a minority committed")
			Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied))
			Expect(err).To(beWithoutQuorum())

			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1, 'of the majority')")
			Expect(env.run(ctx, "SELECT v FROM {ns}.t")).To(HaveRows(Row("of the majority")))
			_, err = env.node(alone).Inside().Reading(target.Strong).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
			Expect(err).To(HaveOccurred(), "a minority served a strong read, which is stale by now")

			env.comeBack(ctx, alone)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT id, v FROM {ns}.t"))).To(And(
				HaveLen(env.cluster.Size()), HaveRows(Row(1, "of the majority"))))
		}

		It("cannot commit and says so; the majority goes on; nothing of the minority's is left", func(ctx SpecContext) {
			cutOff(ctx, 0)
		}, env.patience)

		It("is so for a leader that is cut off, with a write in its log that nobody else has", func(ctx SpecContext) {
			leader := env.leader(ctx)
			cutOff(ctx, leader)
			env.eventually(ctx, env.cluster).Should(HaveLeader())
		}, env.patience)
	})
}
