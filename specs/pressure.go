package specs

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func pressure(env *environment) {
	When("a follower is away for a long time", Label("suite:pressure", "fault:isolate", "speed:slow"), func() {
		It("the leader keeps no more than a snapshot and a bounded log", func(ctx SpecContext) {
			env.needs(3)
			env.assumes(target.Compacts)
			env.run(ctx, "CREATE TABLE {ns}.blobs (id INTEGER PRIMARY KEY, v BLOB)")
			env.run(ctx, "INSERT INTO {ns}.blobs VALUES (1, NULL)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			leader := env.leader(ctx)
			victim := env.others(leader)[0]
			env.writeUntilCompacted(ctx, 1) // so that the state before is a steady one
			before := env.usage(ctx, leader)
			env.leave(ctx, victim)

			// Several writers share syncs of the log: a single one takes a minute on a busy machine.
			const writers, writes, bytes = 8, 2000, 4 << 10
			var written sync.WaitGroup
			for range writers {
				written.Go(func() {
					defer GinkgoRecover()
					for range writes / writers {
						env.runOn(ctx, env.node(leader), "UPDATE {ns}.blobs SET v = ? WHERE id = 1", make([]byte, bytes))
					}
				})
			}
			written.Wait()
			away, after := env.usage(ctx, victim), env.usage(ctx, leader)
			Expect(away.Lag).To(BeNumerically(">=", writes), "the follower was not away")
			// Between two snapshots the log grows by the snapshot threshold.
			Expect(after.LogEntries).To(BeNumerically("<", writes), "the leader keeps its log for the absent follower")
			if before.Memory > 0 {
				Expect(after.Memory).To(BeNumerically("<", before.Memory+64<<20), "the leader's memory grows with an absent follower")
			}
			var noted int
			for _, event := range env.cluster.Journal().Last(-1) {
				if event.Kind == journal.Resource && event.Node == leader {
					noted++
				}
			}
			Expect(noted).To(BeNumerically(">=", 2), "the journal does not contain it")
			env.comeBack(ctx, victim)
			env.eventually(ctx, env.node(victim)).Should(HaveCaughtUp())
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.blobs")))
		}, env.patience)
	})
}

// usage is the resources that a node uses.
func (env *environment) usage(ctx SpecContext, node int) harness.Usage {
	GinkgoHelper()
	all, err := env.cluster.Measure(ctx)
	Expect(err).NotTo(HaveOccurred())
	for _, usage := range all {
		if usage.Node == node {
			return usage
		}
	}
	Fail("node " + env.node(node).ID() + " was not measured")
	return harness.Usage{}
}
