package specs

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/disk"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// histories are judged as a whole: clients work on one kind of data while nodes are
// lost, in one way after the other, and then everything that they saw must fit.
func histories(w *world) {
	Describe("What clients see while nodes are lost and come back", Label("suite:histories", "fault:isolate", "fault:crash", "fault:disk"), func() {
		BeforeEach(func(ctx SpecContext) {
			w.needs(3)
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		DescribeTable("fits together",
			func(ctx SpecContext, made func(ns string) workload.Workload, rules ...types.GomegaMatcher) {
				running := w.work(ctx, made(w.ns))
				w.loseOneAfterTheOther(ctx, running)
				Expect(w.cluster.Heal(ctx)).To(Succeed())
				Expect(running.Finish(ctx)).To(Succeed())
				Expect(w.cluster.VerifyInvariants(ctx)).To(Succeed())

				GinkgoWriter.Println(running.Tally())
				Expect(running.Tally().OK).To(BeNumerically(">=", 100), "too few operations to mean anything")
				DeferOnFailure(w.picture)
				for _, rule := range append(rules, HaveConverged(), HaveOneLeaderATerm()) {
					Expect(w.cluster.Journal()).To(rule)
				}
			},
			Entry("for registers", patience, func(ns string) workload.Workload { return workload.Register(ns, 4) }, BeLinearizable()),
			Entry("for a set", patience, workload.Set, BeDurable(), ShowOwnWrites()),
			Entry("for lists and their transactions", patience, workload.Lists, BeStrictlySerializable(), BeDurable(), BeMonotonic(), ShowOwnWrites()),
			Entry("for pairs that grow together", patience, workload.Pairs, BeStrictlySerializable(), BeDurable()),
			Entry("for a bank", patience, workload.Bank, KeepTheTotal()),
			Entry("for a counter", patience, workload.Counter, CountRight(), BeMonotonic()),
			Entry("for names that only one can have", patience, workload.Unique, GiveOnlyOnce(), BeDurable()),
			Entry("for a schema that changes", patience, workload.DDL, BeDurable()),
		)
	})
}

// work starts clients, which work until the spec ends at the latest.
func (w *world) work(ctx SpecContext, load workload.Workload) *workload.Running {
	GinkgoHelper()
	running, err := workload.Load{Workload: load, Clients: 6, Rate: 60, Deadline: 3 * time.Second, Seed: specSeed()}.Start(ctx, w.cluster)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { running.Stop() })
	return running
}

// loseOneAfterTheOther loses a follower and the leader, by isolation and by crashes,
// and has one node lag, each until the clients have got some more done.
func (w *world) loseOneAfterTheOther(ctx SpecContext, running *workload.Running) {
	GinkgoHelper()
	w.goesOn(ctx, running)
	for _, way := range []harness.Way{harness.Isolate, harness.Crash} {
		if way == harness.Crash && !w.cluster.Can(target.Crash) {
			continue
		}
		for _, leader := range []bool{false, true} {
			victim := w.leader(ctx)
			if !leader {
				victim = w.others(victim)[0]
			}
			before := statusOf(ctx, w.node(victim)).AppliedIndex
			w.leave(ctx, victim, way)
			w.goesOn(ctx, running)
			w.comeBack(ctx, victim)
			Expect(statusOf(ctx, w.node(victim)).AppliedIndex).To(BeNumerically(">", before), "nothing happened while it was away")
		}
	}
	if w.cluster.Can(target.Disks) {
		Expect(w.cluster.SetDisk(ctx, w.others(w.leader(ctx))[0], disk.Faults{Slow: 30 * time.Millisecond})).To(Succeed())
		w.goesOn(ctx, running)
	}
}

// goesOn waits until the clients have got some more done.
func (w *world) goesOn(ctx context.Context, running *workload.Running) {
	GinkgoHelper()
	done := running.Tally().OK
	Eventually(ctx, func() int { return running.Tally().OK }).Should(BeNumerically(">=", done+30), "the clients do not get on")
}

// picture attaches what porcupine draws of a register that is not linearizable.
func (w *world) picture(context.Context) {
	if w.cluster == nil {
		return
	}
	if html := check.Picture(w.cluster.Journal().Events()); html != nil {
		AddReportEntry("a picture of the register, as HTML", shown(w.options.Journals.picture(html)), ReportEntryVisibilityFailureOrVerbose)
	}
}
