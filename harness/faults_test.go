package harness_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// leads makes a node name a leader.
func leads(id string) func(*target.Status) { return func(s *target.Status) { s.Leader = id } }

var _ = Describe("Disks and clocks", func() {
	It("are set, noted, and healed", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.SetDisk(ctx, 1, fault.Disk{Full: true, Slow: time.Second})).To(Succeed())
		Expect(c.SetDisk(ctx, 2, fault.Disk{Torn: true})).To(Succeed())
		Expect(c.SetClock(ctx, 0, time.Hour)).To(Succeed())
		Expect(c.SetClock(ctx, 2, -time.Minute)).To(Succeed())
		Expect(f.Calls()).To(Equal([]string{
			"disk 1 full, 1s slower", "disk 2 about to tear a write",
			"clock 0 1h0m0s", "clock 2 -1m0s",
		}))
		Expect(c.Faults().Lines()).To(Equal([]string{
			"disk of node 1: full, 1s slower", "disk of node 2: about to tear a write", "clock of node 0: 1h0m0s ahead",
			"clock of node 2: 1m0s behind",
		}))
		Expect(c.SetDisk(ctx, 2, fault.Disk{})).To(Succeed())
		Expect(c.SetClock(ctx, 2, 0)).To(Succeed())
		Expect(c.Faults().Lines()).To(HaveLen(2))
		Expect(lines(c, 6)).To(Equal([]string{
			"fault node 1: disk: full, 1s slower", "fault node 2: disk: about to tear a write", "fault node 0: clock: 1h0m0s ahead",
			"fault node 2: clock: 1m0s behind", "fault node 2: disk: sound", "fault node 2: clock: right",
		}))
	}, patience)

	It("are damaged for good", func(ctx SpecContext) {
		c, _ := boot()
		Expect(c.Damage(ctx, 1, fault.Snapshot)).To(Equal("n1/snapshot"))
		Expect(lines(c, 1)).To(Equal([]string{"fault node 1: damage the snapshot"}))
		Expect(c.Damage(ctx, 1, "boot sector")).Error().To(MatchError(HavePrefix(`damage on node 1 (n1): unknown disk part "boot sector"`)))
		Expect(c.Faults().Lines()).To(BeEmpty())
	}, patience)

	It("are not noted if they could not be set", func(ctx SpecContext) {
		c, f := boot()
		f.OnCall = func(context.Context, string) error { return errors.New("gone") }
		Expect(c.SetDisk(ctx, 1, fault.Disk{Full: true})).To(MatchError("set disk on node 1 (n1): gone"))
		Expect(c.SetClock(ctx, 1, 1)).To(MatchError("set clock on node 1 (n1): gone"))
		Expect(c.Damage(ctx, 1, fault.Log)).Error().To(MatchError("damage on node 1 (n1): gone"))
		Expect(c.Faults().Lines()).To(BeEmpty())
	}, patience)

	It("are refused if the target lacks them", func(ctx SpecContext) {
		c, f := bootOf(&fake.Target{Plain: true})
		Expect(c.SetDisk(ctx, 1, fault.Disk{})).To(MatchError("set disk on node 1 (n1): the target cannot inject disk faults"))
		Expect(c.Damage(ctx, 1, fault.Log)).Error().To(MatchError(harness.ErrUnsupported))
		Expect(c.SetClock(ctx, 1, 1)).To(MatchError("set clock on node 1 (n1): the target cannot skew clocks"))
		Expect(c.SetClock(ctx, 4, 1)).To(MatchError("node index 4 out of range (0-2)"))
		Expect(f.Calls()).To(BeEmpty())
	}, patience)
})

var _ = Describe("Heal after everything", func() {
	// hurt makes one fault of each kind.
	hurt := func(ctx context.Context, c *harness.Cluster) {
		GinkgoHelper()
		Expect(c.SetLink(ctx, 0, 1, fault.Rule{Latency: time.Second})).To(Succeed())
		Expect(c.Flapping(ctx, time.Hour, link(0, 2))).Error().NotTo(HaveOccurred())
		Expect(c.SetDisk(ctx, 3, fault.Disk{Slow: time.Second})).To(Succeed())
		Expect(c.SetClock(ctx, 0, time.Hour)).To(Succeed())
		for i, mode := range []fault.Mode{fault.Isolate, fault.Stop, fault.Crash, fault.Pause} {
			Expect(c.TakeNodeOffline(ctx, i+1, mode)).To(Succeed())
		}
	}

	It("undoes all faults, those of nodes last", func(ctx SpecContext) {
		c, f := boot(harness.Size(5))
		hurt(ctx, c)
		calls := len(f.Calls())
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(f.Calls()[calls:]).To(HaveExactElements(
			HavePrefix("link 0 2 sound"), HavePrefix("link 0 1 sound"), Equal("clock 0 0s"), HavePrefix("disk 3 sound"),
			Equal("rejoin 1"), Equal("start 2"), Equal("start 3"), Equal("resume 4")))
		Expect(c.Faults().Lines()).To(BeEmpty())
		Expect(flags(c)).To(HaveEach(true))
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	DescribeTable("continues after a failure, and names it", func(ctx SpecContext, call, message string) {
		c, f := boot(harness.Size(5))
		hurt(ctx, c)
		calls := len(f.Calls())
		f.OnCall = func(_ context.Context, made string) error {
			if strings.HasPrefix(made, call) {
				return errors.New("it is stuck")
			}
			return nil
		}
		Expect(c.Heal(ctx)).To(MatchError(message))
		Expect(len(f.Calls()) - calls).To(Equal(8))
		f.OnCall = nil
		Expect(c.Heal(ctx)).To(Succeed(), "and it can be tried again")
		Expect(flags(c)).To(HaveEach(true))
	},
		Entry("a link", patience, "link 0 1", "mend all links: 0->1: it is stuck"),
		Entry("a disk", patience, "disk 3", "set disk on node 3 (n3): it is stuck"),
		Entry("a clock", patience, "clock 0", "set clock on node 0 (n0): it is stuck"),
		Entry("a node", patience, "start 2", "bring online on node 2 (n2): it is stuck; its flag still says offline"),
	)

	It("does not wait for a node that has failed, and names it", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
		shows(f.Node(1), func(s *target.Status) { s.State, s.Reason = target.Failed, "raft.db: input/output error" })
		err := c.Heal(ctx)
		Expect(err).To(MatchError(harness.ErrFailed))
		Expect(err).To(MatchError(And(ContainSubstring("node 1 (n1)"), ContainSubstring("raft.db: input/output error"),
			ContainSubstring("must be replaced"))))
		Expect(flags(c)).To(HaveEach(true))

		Expect(c.ReplaceNode(ctx, 1)).Error().NotTo(HaveOccurred())
		Expect(c.Heal(ctx)).To(Succeed())
	}, patience)
})

var _ = Describe("One leader a term", func() {
	led := func(terms ...uint64) func(*target.Status) {
		return func(s *target.Status) { s.LedTerms = terms }
	}

	It("is checked across restarts, and a violation is recorded once", func(ctx SpecContext) {
		for _, end := range []fault.Mode{fault.Stop, fault.Crash} {
			c, f := boot()
			shows(f.Node(0), led(2, 5)) // which is never asked for
			Expect(c.TakeNodeOffline(ctx, 0, end)).To(Succeed())
			shows(f.Node(0), led())
			Expect(c.BringNodeOnline(ctx, 0)).To(Succeed())
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
			shows(f.Node(2), led(5))
			Expect(node(c, 2).Status(ctx)).Error().NotTo(HaveOccurred())
			const message = "a promise of the cluster is broken: node 0 (n0) and node 2 (n2) both led in term 5"
			Expect(lines(c, 1)).To(Equal([]string{"check node 2: one leader a term -> " + message}))
			events := c.Journal().Total()
			Expect(node(c, 2).Status(ctx)).Error().NotTo(HaveOccurred())
			Expect(c.Journal().Total()).To(Equal(events), "it is reported once")
			shows(f.Node(2), led())
			err := c.VerifyInvariants(ctx)
			Expect(err).To(MatchError(harness.ErrInvariant))
			Expect(err).To(MatchError(message), "it stays broken")
		}
	}, patience)

	It("is checked for nodes that were removed", func(ctx SpecContext) {
		c, f := boot()
		shows(f.Node(2), led(7))
		Expect(c.RemoveNode(ctx, 2)).To(Succeed())
		shows(f.Node(1), led(7))
		Expect(c.VerifyInvariants(ctx)).To(MatchError(ContainSubstring("node 1 (n1) and node 2 (n2) both led in term 7")))
	}, patience)

	It("is not broken by a leader that stays, or by a node that does not answer before it stops", func(ctx SpecContext) {
		c, f := boot()
		f.Node(0).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("busy")
		})
		Expect(c.TakeNodeOffline(ctx, 0, fault.Crash)).To(Succeed())
		f.Node(0).OnStatus(nil)
		Expect(c.BringNodeOnline(ctx, 0)).To(Succeed())
		for i := range 3 {
			shows(f.Node(1), led(2+uint64(i), 10))
			shows(f.Node(0), led(6, 7))
			if i > 0 {
				Expect(c.VerifyInvariants(ctx)).To(Succeed())
			}
		}
	}, patience)
})

var _ = Describe("VerifyInvariants with nodes away", func() {
	It("says that they cannot be compared", func(ctx SpecContext) {
		c, _ := boot(harness.Size(5))
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 3, fault.Crash)).To(Succeed())
		Expect(c.VerifyInvariants(ctx)).To(MatchError("node 1 (n1) is offline (isolate), so its data cannot be compared\n" +
			"node 3 (n3) is offline (crash), so its data cannot be compared"))
	}, patience)
})

var _ = Describe("Measure", func() {
	It("asks each member what it uses, and records that", func(ctx SpecContext) {
		c, f := boot(harness.Size(4))
		shows(f.Node(0), func(s *target.Status) {
			s.CommitIndex, s.AppliedIndex, s.LogEntries, s.Memory = 500, 500, 90, 50<<20
		})
		shows(f.Node(1), func(s *target.Status) { s.CommitIndex, s.AppliedIndex, s.LogEntries, s.Memory = 400, 380, 7, 100 })
		f.Node(2).OnStatus(func(context.Context, target.Status) (target.Status, error) {
			return target.Status{}, errors.New("gone")
		})
		Expect(c.TakeNodeOffline(ctx, 3, fault.Crash)).To(Succeed())
		usage, err := c.Measure(ctx)
		Expect(err).To(MatchError("ask for status on node 2 (n2): gone"))
		Expect(usage).To(Equal([]harness.Usage{
			{Node: 0, ID: "n0", Memory: 50 << 20, LogEntries: 90, Applied: 500},
			{Node: 1, ID: "n1", Memory: 100, LogEntries: 7, Applied: 380, Lag: 120},
		}))
		var lines []string
		for _, e := range c.Journal().Last(2) {
			lines = append(lines, e.String())
		}
		Expect(lines).To(Equal([]string{
			"resource node 0: applied 500, 0 behind, log of 90 entries, memory 50.0 MiB",
			"resource node 1: applied 380, 120 behind, log of 7 entries, memory 100 bytes",
		}))
	}, patience)

	It("also happens when a flag has changed and when a wait has ended", func(ctx SpecContext) {
		c, f := boot()
		measured := func(do func()) string {
			before := c.Journal().Total()
			do()
			var nodes []string
			for _, e := range c.Journal().Last(c.Journal().Total() - before) {
				if e.Kind == journal.Resource {
					nodes = append(nodes, fmt.Sprint(e.Node))
				}
			}
			return strings.Join(nodes, " ")
		}
		Expect(measured(func() { Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed()) })).To(Equal("0 1 2"))
		Expect(measured(func() { Expect(c.TakeNodeOffline(ctx, 1)).NotTo(Succeed()) })).To(BeEmpty(), "nothing has changed")
		Expect(measured(func() { Expect(c.WaitForNodeOnline(shortly(ctx), 1)).NotTo(Succeed()) })).To(Equal("1"))
		Expect(measured(func() { Expect(c.BringNodeOnline(ctx, 1)).To(Succeed()) })).To(Equal("0 1 2"))
		Expect(measured(func() { Expect(c.AddNode(ctx)).Error().NotTo(HaveOccurred()) })).To(Equal("0 1 2 3"))
		f.Node(2).OnStatus(func(ctx context.Context, s target.Status) (target.Status, error) { <-ctx.Done(); return s, ctx.Err() })
		Expect(measured(func() { Expect(c.TakeNodeOffline(ctx, 1, fault.Pause)).To(Succeed()) })).To(Equal("0 3"),
			"a node that does not answer is left out")
	}, patience)
})
