package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// manyNodes is a very large cluster, and manyPace its election timeout: long, so that
// heartbeats do not take all the time.
const (
	manyNodes = 101
	manyPace  = 5 * time.Second
)

// hundred is a spec for clusters in virtual time.
func hundred(env *environment) {
	Describe("A cluster of 101", Label("suite:sizes", "fault:isolate", "fault:crash", "speed:slow"), func() {
		It("commits without fifty of its nodes, and recovers", func(ctx SpecContext) {
			Expect(env.cluster.Size()).To(Equal(manyNodes))
			Expect(env.cluster.Quorum()).To(Equal(51))
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			old := env.leader(ctx)
			term := statusOf(ctx, env.node(old)).Term
			others := env.others(old)

			By("crashing the leader and nine more, and isolating forty")
			gone := append([]int{old}, others[:49]...)
			for i, node := range gone {
				if i < 10 {
					env.leave(ctx, node, fault.Crash)
				} else {
					env.leave(ctx, node)
				}
			}
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			Expect(statusOf(ctx, env.node(env.leader(ctx))).Term).To(BeNumerically(">", term), "no other leader was elected")
			Expect(env.node(gone[49])).NotTo(HaveCaughtUp())

			By("coming back")
			env.comeBack(ctx, gone...)
			env.eventually(ctx, env.node(old)).Should(HaveCaughtUp())
			Expect(env.node(gone[49]).Reading(target.Local).Execute(ctx, env.sql("SELECT count(*) FROM {ns}.t"))).To(HaveRows(Row(1)))
		}, env.patience, longest)
	})
}
