package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func changes(env *environment) {
	Describe("What changes while a node is away", Label("suite:changes", "fault:isolate"), func() {
		for _, c := range readChanges() {
			It("reaches it when it comes back: "+c.name, func(ctx SpecContext) {
				env.needs(3)
				env.openShop(ctx)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				const victim = 1
				before := statusOf(ctx, env.node(victim))
				env.leave(ctx, victim)

				for _, statement := range c.statements {
					_, err := env.cluster.ExecuteWithRetry(ctx, env.sql(statement)) // while a leader is elected
					if c.fails {
						Expect(err).To(HaveOccurred(), statement)
					} else {
						Expect(err).NotTo(HaveOccurred(), statement)
					}
				}
				for _, node := range env.cluster.OnlineNodes() {
					env.eventually(ctx, node).Should(HaveCaughtUp())
				}
				if len(c.statements) > 0 {
					Expect(env.node(victim)).NotTo(HaveCaughtUp())
				}
				Expect(statusOf(ctx, env.node(victim)).AppliedIndex).To(Equal(before.AppliedIndex), "the node was not cut off")
				env.missesItsLeader(ctx, victim)

				env.comeBack(ctx, victim)
				Expect(statusOf(ctx, env.node(victim)).Restores).To(Equal(before.Restores), "it caught up by a snapshot, and not by the log")
				for _, check := range c.checks {
					Expect(env.cluster).To(BeConsistent(env.sql(check)))
				}
				for _, query := range c.refused {
					for _, node := range env.cluster.Nodes() {
						_, err := node.Reading(target.Local).Execute(ctx, env.sql(query))
						Expect(err).To(And(HaveOccurred(), Not(MatchError(target.ErrUnreachable))), "%s still answers %s", node, query)
					}
				}
			}, env.patience)
		}
	})
}

// missesItsLeader waits until a node that is cut off has heard of no leader for a while
// longer. A database that does not say when its nodes heard of one is not waited for.
func (env *environment) missesItsLeader(ctx context.Context, node int) {
	GinkgoHelper()
	env.eventually(ctx, env.node(node)).Should(BeConnecting())
	so := statusOf(ctx, env.node(node)).LastContact
	if so <= 0 {
		return
	}
	env.eventually(ctx, func(ctx context.Context) time.Duration { return statusOf(ctx, env.node(node)).LastContact }).
		Should(BeNumerically(">=", so+env.pace.absence()), "it still hears of a leader")
}
