package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// manyNodes is a size that nobody runs, and manyPace how long such a cluster waits
// for a leader: so that its heartbeats leave room for anything else.
const (
	manyNodes = 101
	manyPace  = 5 * time.Second
)

// hundred is for clusters in virtual time.
func hundred(w *world) {
	Describe("A cluster of 101", Label("suite:sizes", "fault:isolate", "fault:crash", "speed:slow"), func() {
		It("elects, commits without fifty of its nodes, and recovers", func(ctx SpecContext) {
			Expect(w.cluster.Size()).To(Equal(manyNodes))
			Expect(w.cluster.Quorum()).To(Equal(51))
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			old := w.leader(ctx)
			term := statusOf(ctx, w.node(old)).Term
			others := w.others(old)

			By("losing the leader, and nine more by a crash, and forty by isolation")
			gone := append([]int{old}, others[:49]...)
			for i, node := range gone {
				if i < 10 {
					w.leave(ctx, node, harness.Crash)
				} else {
					w.leave(ctx, node)
				}
			}
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			Expect(statusOf(ctx, w.node(w.leader(ctx))).Term).To(BeNumerically(">", term), "nobody else was elected")
			Expect(w.node(gone[49])).NotTo(HaveCaughtUp())

			By("coming back")
			w.comeBack(ctx, gone...)
			Eventually(ctx, w.node(old)).Should(HaveCaughtUp())
			Expect(w.node(gone[49]).Reading(target.Local).Execute(ctx, w.sql("SELECT count(*) FROM {ns}.t"))).To(HaveRows(Row(1)))
		}, patience, longest)
	})
}
