package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// histories are specs that judge a whole history: clients work on one kind of data while nodes
// are lost in one failure mode after the other.
func histories(env *environment) {
	Describe("A history of clients while nodes are lost and return",
		Label("suite:histories", "fault:isolate", "fault:crash", "fault:disk"), func() {
			BeforeEach(func(ctx SpecContext) {
				env.needs(3)
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			})

			DescribeTable("keeps its guarantees",
				func(ctx SpecContext, made func(ns string) workload.Workload, rules ...types.GomegaMatcher) {
					load := made(env.ns)
					if workload.Ordered(load) {
						env.assumes(target.OrderedKeys)
					}
					running := env.work(ctx, load)
					env.loseOneAfterTheOther(ctx, running)
					Expect(env.cluster.Heal(ctx)).To(Succeed())
					Expect(running.Finish(ctx)).To(Succeed())
					Expect(env.cluster.VerifyInvariants(ctx)).To(Succeed())

					GinkgoWriter.Println(running.Tally())
					Expect(running.Tally().OK).To(BeNumerically(">=", 100), "too few operations")
					DeferOnFailure(env.picture)
					if _, digests := target.As[target.Digester](env.booted); digests {
						rules = append(rules, HaveConverged())
					}
					env.judges(ctx, target.Durability, target.Recency)
					for _, rule := range append(rules, HaveOneLeaderATerm()) {
						Expect(env.cluster.Journal()).To(rule)
					}
				},
				Entry("of registers", env.patience, func(ns string) workload.Workload { return workload.Register(ns, 4) }, BeLinearizable()),
				Entry("of a set", env.patience, workload.Set, BeDurable(), ShowOwnWrites()),
				Entry("of lists and transactions", env.patience, workload.Lists, BeStrictlySerializable(), BeDurable(), BeMonotonic(), ShowOwnWrites()),
				Entry("of twin lists", env.patience, workload.TwinLists, BeStrictlySerializable(), BeDurable()),
				Entry("of a bank", env.patience, workload.Bank, KeepTheTotal()),
				Entry("of a counter", env.patience, workload.Counter, CountRight(), BeMonotonic()),
				Entry("of unique names", env.patience, workload.Unique, GiveOnlyOnce(), BeDurable()),
				Entry("of schema changes", env.patience, workload.DDL, BeDurable()),
			)
		})
}

// work starts clients that work until the spec ends at the latest.
func (env *environment) work(ctx SpecContext, load workload.Workload) *workload.Running {
	GinkgoHelper()
	running, err := workload.Load{Workload: load, Clients: 6, Rate: 60, Deadline: env.pace.request(), Seed: specSeed()}.Start(ctx, env.cluster)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { running.Stop() })
	return running
}

// loseOneAfterTheOther isolates and crashes a follower and the leader, and slows one disk,
// each until the clients have made progress.
func (env *environment) loseOneAfterTheOther(ctx SpecContext, running *workload.Running) {
	GinkgoHelper()
	// In a namespace of its own: a workload may look at all tables of its own.
	env.patiently(ctx, "CREATE NAMESPACE IF NOT EXISTS {ns}_m")
	env.patiently(ctx, "CREATE TABLE IF NOT EXISTS {ns}_m.meanwhile (v INTEGER)")
	env.goesOn(ctx, running)
	for _, mode := range []fault.Mode{fault.Isolate, fault.Crash} {
		if mode == fault.Crash && !env.cluster.Can(target.Crash) {
			continue
		}
		for _, leader := range []bool{false, true} {
			victim := env.leader(ctx)
			if !leader {
				victim = env.others(victim)[0]
			}
			before := statusOf(ctx, env.node(victim)).AppliedIndex
			env.leave(ctx, victim, mode)
			env.goesOn(ctx, running)
			env.patiently(ctx, "INSERT INTO {ns}_m.meanwhile VALUES (1)") // the clients may do nothing but read
			env.comeBack(ctx, victim)
			Expect(statusOf(ctx, env.node(victim)).AppliedIndex).To(BeNumerically(">", before), "it has not caught up")
			env.whole(ctx)
		}
	}
	if env.cluster.Can(target.Disks) {
		Expect(env.cluster.SetDisk(ctx, env.others(env.leader(ctx))[0], fault.Disk{Slow: 30 * time.Millisecond})).To(Succeed())
		env.goesOn(ctx, running)
	}
}

// goesOn waits until the clients have made progress.
func (env *environment) goesOn(ctx context.Context, running *workload.Running) {
	GinkgoHelper()
	done := running.Tally().OK
	env.eventually(ctx, func() int { return running.Tally().OK }).Should(BeNumerically(">=", done+30), "the clients make no progress")
}

// picture attaches porcupine's picture of a register that is not linearizable.
func (env *environment) picture(ctx context.Context) {
	if env.cluster == nil {
		return
	}
	if html := check.Picture(env.cluster.Journal().Events()); html != nil {
		AddReportEntry("a picture of the register, as HTML", shown(runOf(ctx).journals.picture(html)), ReportEntryVisibilityFailureOrVerbose)
	}
}
