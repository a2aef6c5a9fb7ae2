package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// failover is how long changes may be refused when a node is lost, on a database
// that elects within a tenth of a second.
const (
	failover     = 400 * time.Millisecond // where time is virtual, and nobody else takes any
	slowFailover = 3 * time.Second        // on a real clock, besides the time without a processor
)

func availability(env *environment) {
	Describe("While a node is lost", Label("suite:availability", "fault:isolate", "fault:crash"), func() {
		DescribeTable("changes are refused for no longer than it takes to elect a leader",
			func(ctx SpecContext, mode fault.Mode, leader bool) {
				env.needs(3)
				if mode != fault.Isolate { // which every target can
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

				budget := slowFailover + starved.end()
				if env.cluster.Can(target.Time) {
					budget = failover
				}
				Expect(env.cluster.Journal()).To(And(BeAvailable(budget), CountRight()))
			},
			Entry("when the leader is isolated", patience, fault.Isolate, true),
			Entry("when a follower is isolated", patience, fault.Isolate, false),
			Entry("when the leader crashes", patience, fault.Crash, true),
			Entry("when a follower crashes", patience, fault.Crash, false),
			Entry("when the leader stops", Label("fault:stop"), patience, fault.Stop, true),
		)
	})
}
