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
	Describe("Changes while a node is isolated", Label("suite:changes", "fault:isolate"), func() {
		for _, c := range readChanges() {
			It("reach it when it returns: "+c.name, func(ctx SpecContext) {
				env.needs(3)
				if c.chance {
					env.assumes(target.SameEverywhere)
				}
				env.openShop(ctx)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				const victim = 1
				env.leave(ctx, victim)
				before := statusOf(ctx, env.node(victim)) // a log may grow by itself: of a node that is away it does not

				for _, statement := range c.statements {
					_, err := env.cluster.ExecuteWithRetry(ctx, env.sql(statement)) // there may be no leader yet
					if c.fails {
						Expect(err).To(HaveOccurred(), statement)
					} else {
						Expect(err).NotTo(HaveOccurred(), statement)
					}
				}
				for _, node := range env.cluster.OnlineNodes() {
					env.eventually(ctx, node).Should(HaveCaughtUp())
				}
				if len(c.statements) > 0 && !c.fails { // what fails need not have an index
					Expect(env.node(victim)).NotTo(HaveCaughtUp())
				}
				if before.Role != "leader" || env.holds(target.StepsDown) { // a leader may write to its own log for some time
					Expect(statusOf(ctx, env.node(victim)).AppliedIndex).To(Equal(before.AppliedIndex), "the node is not isolated")
				}
				env.missesItsLeader(ctx, victim)

				env.comeBack(ctx, victim)
				Expect(statusOf(ctx, env.node(victim)).Restores).To(Equal(before.Restores), "it caught up from a snapshot instead of the log")
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

// missesItsLeader waits until an isolated node has not heard from a leader for some time, so
// that messages under way are not enough for it to catch up. It does not wait for a database
// whose status does not show the last contact.
func (env *environment) missesItsLeader(ctx context.Context, node int) {
	GinkgoHelper()
	env.isAlone(ctx, node)
	so := statusOf(ctx, env.node(node)).LastContact
	if so <= 0 {
		return
	}
	env.eventually(ctx, func(ctx context.Context) time.Duration { return statusOf(ctx, env.node(node)).LastContact }).
		Should(BeNumerically(">=", so+env.pace.absence()), "it still hears from a leader")
}

// isAlone waits until an isolated node says that it knows no leader. A leader says so only where StepsDown is declared.
func (env *environment) isAlone(ctx context.Context, node int) {
	GinkgoHelper()
	if statusOf(ctx, env.node(node)).Role == "leader" && !env.holds(target.StepsDown) {
		return
	}
	env.eventually(ctx, env.node(node)).Should(BeConnecting())
}
