//go:build cgo

package workload_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/isolation/transacting"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/workload"
)

// latency makes transactions overlap.
const latency = 2 * time.Millisecond

// history runs a workload on a cluster of the target, and returns the journal.
func history(ctx context.Context, t target.Target, w workload.Workload, seed uint64) []journal.Event {
	GinkgoHelper()
	c, err := harness.Boot(ctx, t)
	Expect(err).NotTo(HaveOccurred())
	defer func() { Expect(c.Close()).To(Succeed()) }()
	r, err := workload.Load{Workload: w, Clients: 6, Most: 250, Seed: seed}.Start(ctx, c)
	Expect(err).NotTo(HaveOccurred())
	Eventually(ctx, r.Done()).Should(BeClosed())
	Expect(r.Finish(ctx)).To(Succeed())
	GinkgoWriter.Println(w.Name(), r.Tally())
	Expect(r.Tally().OK).To(BeNumerically(">", 50))
	return c.Journal().Events()
}

// violation is the text of a verdict, which must hold a violation.
func violation(err error) string {
	GinkgoHelper()
	var found *check.Violation
	Expect(errors.As(err, &found)).To(BeTrue(), "%v", err)
	return err.Error()
}

var _ = Describe("A workload of interactive transactions", func() {
	BeforeEach(nothingIsLeft)

	for _, w := range workload.Interactive("ns", target.Serializable) {
		for _, locks := range []bool{false, true} {
			made := func() workload.Workload {
				for _, again := range workload.Interactive("ns", target.Serializable) {
					if again.Name() == w.Name() {
						return again
					}
				}
				return nil
			}
			It("keeps every rule on a serializable database: "+w.Name()+map[bool]string{true: ", with locks"}[locks], func(ctx SpecContext) {
				events := history(ctx, &transacting.Target{Locks: locks, Latency: latency}, made(), 1)
				expectJudgeable(events, 3)
				Expect(check.All(events)).To(Succeed())
			}, patience)
		}
	}

	DescribeTable("finds what is wrong",
		func(ctx SpecContext, flaw transacting.Flaw, made func(string, target.Isolation) workload.Workload, rule func([]journal.Event) error,
			names ...string) {
			events := history(ctx, &transacting.Target{Flaw: flaw, Latency: latency}, made("ns", target.Serializable), 1)
			Expect(violation(rule(events))).To(Or(containing(names)...))
		},
		Entry("lists lose updates", patience, transacting.LostUpdates, workload.InteractiveLists, check.SnapshotIsolation,
			"G-single", "incompatible orders"),
		Entry("registers lose updates", patience, transacting.LostUpdates, workload.InteractiveRegisters, check.SnapshotIsolation, "G-single"),
		Entry("a bank loses updates", patience, transacting.LostUpdates, workload.InteractiveBank, check.Total, "bank"),
		Entry("lists skew writes", patience, transacting.WriteSkew, workload.InteractiveLists, check.Serializable, "write skew"),
		Entry("registers skew writes", patience, transacting.WriteSkew, workload.InteractiveRegisters, check.Serializable, "write skew"),
		Entry("lists skew reads", patience, transacting.ReadSkew, workload.InteractiveLists, check.SnapshotIsolation, "read skew", "G-single"),
		Entry("a bank skews reads", patience, transacting.ReadSkew, workload.InteractiveBank, check.Total, "bank"),
		Entry("lists read what is not committed", patience, transacting.DirtyReads, workload.InteractiveLists, check.ReadCommitted,
			"internal", "G1"),
	)

	DescribeTable("keeps the level that the database has",
		func(ctx SpecContext, flaw transacting.Flaw, made func(string, target.Isolation) workload.Workload, rule func([]journal.Event) error) {
			Expect(rule(history(ctx, &transacting.Target{Flaw: flaw, Latency: latency}, made("ns", target.Serializable), 1))).To(Succeed())
		},
		Entry("lists with snapshots", patience, transacting.WriteSkew, workload.InteractiveLists, check.SnapshotIsolation),
		Entry("registers with snapshots", patience, transacting.WriteSkew, workload.InteractiveRegisters, check.SnapshotIsolation),
		Entry("a bank with snapshots", patience, transacting.WriteSkew, workload.InteractiveBank, check.Total),
		Entry("lists with committed reads", patience, transacting.ReadSkew, workload.InteractiveLists, check.ReadCommitted),
	)

	It("needs a target with interactive transactions, and with the level", func(ctx SpecContext) {
		without, err := harness.Boot(ctx, &fake.Target{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(without.Close)
		load := workload.Load{Workload: workload.InteractiveBank("ns", target.Serializable)}
		_, err = load.Start(ctx, without)
		Expect(err).To(MatchError("set up workload interactive-bank: the target cannot run interactive transactions"))
		Expect(err).To(MatchError(harness.ErrUnsupported))

		with, err := harness.Boot(ctx, &transacting.Target{Levels: []target.Isolation{target.ReadCommitted}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(with.Close)
		_, err = load.Start(ctx, with)
		Expect(err).To(MatchError("set up workload interactive-bank: the target has no isolation level serializable"))
	}, patience)
})

func containing(names []string) (all []OmegaMatcher) {
	for _, name := range names {
		all = append(all, ContainSubstring(name))
	}
	return all
}
