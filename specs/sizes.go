package specs

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// sizes are the same story on clusters of other sizes than the suite's.
func sizes(w *world, size int) {
	Describe(fmt.Sprintf("A cluster of %d", size), Label("suite:sizes", "fault:isolate"), func() {
		It("goes on without as many nodes as it can spare, and stops without one more", func(ctx SpecContext) {
			Expect(w.cluster.Size()).To(Equal(size))
			Expect(w.cluster.Quorum()).To(Equal(size/2 + 1))
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())

			leader := w.leader(ctx)
			spare := size - w.cluster.Quorum()
			gone := append([]int{leader}, w.others(leader)...)[:spare]
			for _, node := range gone {
				w.leave(ctx, node)
			}
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			for _, node := range gone {
				Expect(w.node(node)).NotTo(HaveCaughtUp())
			}
			next := w.leader(ctx)
			w.leave(ctx, next)
			if size > 1 {
				last := w.cluster.OnlineNodes()[0]
				_, err := last.Execute(ctx, w.sql("INSERT INTO {ns}.t VALUES (2)"))
				Expect(codeOf(err)).To(BeElementOf("NO_LEADER", "NO_QUORUM"), "%v", err)
			}
			w.comeBack(ctx, append(gone, next)...)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			w.patiently(ctx, "INSERT INTO {ns}.t VALUES (3)")
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t")))
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, w.sql("SELECT count(*) FROM {ns}.t WHERE id <> 2"))).To(
				And(HaveLen(size), HaveRows(Row(2))))
		}, patience)
	})
}
