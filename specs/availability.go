package specs

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// failover is how long changes may be refused when a node is lost, on a database
// that elects within a tenth of a second.
const (
	failover     = 400 * time.Millisecond // where time is virtual, and nobody else takes any
	slowFailover = 3 * time.Second        // on a real clock, besides the time without a processor
)

func availability(w *world) {
	Describe("While a node is lost", Label("suite:availability", "fault:isolate", "fault:crash"), func() {
		DescribeTable("changes are refused for no longer than it takes to elect a leader",
			func(ctx SpecContext, way harness.Way, leader bool) {
				w.needs(3)
				if way != harness.Isolate { // which every target can
					w.requires(abilities[way])
				}
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				starved := measureStarvation()
				DeferCleanup(func() { starved.end() })
				running := w.work(ctx, workload.Counter(w.ns))
				w.goesOn(ctx, running)
				victim := w.leader(ctx)
				if !leader {
					victim = w.others(victim)[0]
				}
				w.leave(ctx, victim, way)
				w.goesOn(ctx, running)
				w.comeBack(ctx, victim)
				Expect(running.Finish(ctx)).To(Succeed())

				budget := slowFailover + starved.end()
				if w.cluster.HasClock() {
					budget = failover
				}
				Expect(w.cluster.Journal()).To(And(BeAvailable(budget), CountRight()))
			},
			Entry("when the leader is isolated", patience, harness.Isolate, true),
			Entry("when a follower is isolated", patience, harness.Isolate, false),
			Entry("when the leader crashes", patience, harness.Crash, true),
			Entry("when a follower crashes", patience, harness.Crash, false),
			Entry("when the leader stops", Label("fault:stop"), patience, harness.Stop, true),
		)
	})
}
