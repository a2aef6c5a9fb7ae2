package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// story is the first spec that a user writes: it waits for nothing but the returning node.
func story(env *environment) {
	Describe("A first spec", Label("suite:story", "fault:isolate"), func() {
		It("needs no waits before reads and comparisons", func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.HoldsWrites)
			Expect(env.cluster.ExecuteOnRandom(ctx, env.sql("CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)"))).Error().NotTo(HaveOccurred())
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT * FROM {ns}.t"))).To(
				And(HaveLen(env.cluster.Size()), HaveRows()))

			Expect(env.cluster.TakeNodeOffline(ctx, 1)).To(Succeed())
			Expect(env.cluster.ExecuteOnRandom(ctx, env.sql("INSERT INTO {ns}.t VALUES (1, 'x')"))).Error().NotTo(HaveOccurred())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t ORDER BY id")))

			Expect(env.cluster.BringNodeOnline(ctx, 1)).To(Succeed())
			Expect(env.cluster.WaitForNodeOnline(ctx, 1)).To(Succeed())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT * FROM {ns}.t"))).To(
				And(HaveLen(env.cluster.Size()), HaveRows(Row(1, "x"))))
		}, env.patience)
	})
}
