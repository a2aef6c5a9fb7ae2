package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

func availability(env *environment) {
	Describe("Availability", Label("suite:availability", "fault:isolate", "fault:crash"), func() {
		DescribeTable("writes fail for no longer than a failover takes",
			func(ctx SpecContext, mode fault.Mode, leader bool) {
				env.needs(3)
				if mode != fault.Isolate { // every target can isolate
					env.requires(abilities[mode])
				}
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				starved := measureStarvation()
				DeferCleanup(func() { starved.end() })
				running := env.work(ctx, workload.Counter(env.ns))
				env.goesOn(ctx, running)
				victim := env.leader(ctx)
				if !leader {
					victim = env.others(victim)[0]
				}
				env.leave(ctx, victim, mode)
				env.goesOn(ctx, running)
				env.comeBack(ctx, victim)
				Expect(running.Finish(ctx)).To(Succeed())

				budget := env.pace.outage() + starved.end()
				if env.cluster.Can(target.Time) {
					budget = env.pace.Failover // nothing else takes time
				}
				Expect(env.cluster.Journal()).To(And(BeAvailable(budget), CountRight()))
			},
			Entry("when the leader is isolated", env.patience, fault.Isolate, true),
			Entry("when a follower is isolated", env.patience, fault.Isolate, false),
			Entry("when the leader crashes", env.patience, fault.Crash, true),
			Entry("when a follower crashes", env.patience, fault.Crash, false),
			Entry("when the leader stops", Label("fault:stop"), env.patience, fault.Stop, true),
		)
	})
}
