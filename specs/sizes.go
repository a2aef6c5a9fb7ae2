package specs

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// sizes is a spec for clusters of other sizes than the suite's.
func sizes(env *environment, size int) {
	Describe(fmt.Sprintf("A cluster of %d", size), Label("suite:sizes", "fault:isolate"), func() {
		It("commits with a quorum and refuses writes without one", func(ctx SpecContext) {
			Expect(env.cluster.Size()).To(Equal(size))
			Expect(env.cluster.Quorum()).To(Equal(size/2 + 1))
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())

			leader := env.leader(ctx)
			nodes := append([]int{leader}, env.others(leader)...)

			By("losing a majority at once")
			most, spare := nodes[:size-env.cluster.Quorum()+1], nodes[:size-env.cluster.Quorum()]
			for _, node := range most {
				env.leave(ctx, node)
			}
			if size > 1 {
				last := env.cluster.OnlineNodes()[0]
				_, err := last.Execute(ctx, env.sql("INSERT INTO {ns}.t VALUES (2)"))
				Expect(err).To(env.beRefused())
			}
			env.comeBack(ctx, most...)
			env.whole(ctx)

			By("losing as many as a quorum can spare")
			for _, node := range spare {
				env.leave(ctx, node)
			}
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (1)")
			for _, node := range spare {
				Expect(env.node(node)).NotTo(HaveCaughtUp())
			}
			env.comeBack(ctx, spare...)
			env.whole(ctx)
			env.patiently(ctx, "INSERT INTO {ns}.t VALUES (3)")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			Expect(env.cluster.Reading(target.Local).ExecuteOnAll(ctx, env.sql("SELECT count(*) FROM {ns}.t WHERE id <> 2"))).To(
				And(HaveLen(size), HaveRows(Row(2))))
		}, env.patience)
	})
}
