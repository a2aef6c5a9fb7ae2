package harness_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// failing makes the call fail, as in "crash 1".
func failing(f *fake.Cluster, call string, err error) {
	f.OnCall = func(_ context.Context, made string) error {
		if made == call {
			return err
		}
		return nil
	}
}

var _ = Describe("A failure mode", func() {
	modes := func(name string, body func(ctx SpecContext, mode fault.Mode, back, reason string)) {
		DescribeTable(name, body,
			Entry("isolate", patience, fault.Isolate, "rejoin 1", ""),
			Entry("stop", patience, fault.Stop, "start 1", "stopped"),
			Entry("crash", patience, fault.Crash, "start 1", "crashed"),
			Entry("pause", patience, fault.Pause, "resume 1", "paused"),
		)
	}

	modes("is undone by its own opposite", func(ctx SpecContext, mode fault.Mode, back, _ string) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1, mode)).To(Succeed())
		Expect(flags(c)).To(Equal([]bool{true, false, true}))
		got, lost := c.Lost(1)
		Expect(got).To(Equal(mode))
		Expect(lost).To(BeTrue())
		Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).To(MatchError(harness.ErrAlreadyOffline), "a node is lost once")

		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		_, lost = c.Lost(1)
		Expect(lost).To(BeFalse())
		Expect(f.Calls()).To(Equal([]string{string(mode) + " 1", back}))
	})

	modes("is a fault in the journal, and a word in the flag's line", func(ctx SpecContext, mode fault.Mode, back, _ string) {
		c, _ := boot()
		Expect(c.TakeNodeOffline(ctx, 1, mode)).To(Succeed())
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
		Expect(lines(c, 4)).To(Equal([]string{
			"fault node 1: " + string(mode), "flag node 1: take offline (" + string(mode) + ")",
			"fault node 1: " + back[:len(back)-2], "flag node 1: bring online",
		}))
		for _, e := range c.Journal().Last(-1) {
			if e.Kind == journal.Fault {
				Expect(e.Took).To(BeNumerically(">", 0))
			}
		}
	})

	modes("leaves all as it was where it fails", func(ctx SpecContext, mode fault.Mode, back, _ string) {
		c, f := boot()
		why := errors.New("no such node")
		failing(f, string(mode)+" 1", why)
		err := c.TakeNodeOffline(ctx, 1, mode)
		Expect(err).To(MatchError(why))
		Expect(err).To(MatchError("take offline on node 1 (n1): no such node; its flag still says online"))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))

		f.OnCall = nil
		Expect(c.TakeNodeOffline(ctx, 1, mode)).To(Succeed(), "it can be tried again")
		failing(f, back, why)
		Expect(c.BringNodeOnline(ctx, 1)).To(MatchError("bring online on node 1 (n1): no such node; its flag still says offline"))
		got, _ := c.Lost(1)
		Expect(got).To(Equal(mode))
		f.OnCall = nil
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
	})

	modes("that runs no more is not asked", func(ctx SpecContext, mode fault.Mode, _, reason string) {
		c, f := boot()
		n := node(c, 1)
		Expect(c.TakeNodeOffline(ctx, 1, mode)).To(Succeed())
		probes := f.Node(1).Probes()
		status, err := n.Status(ctx)
		Expect(err).NotTo(HaveOccurred())
		_, err = c.Leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		if mode == fault.Isolate {
			Expect(status.State).To(Equal(target.Connecting))
			Expect(f.Node(1).Probes()).To(Equal(probes+2), "it is asked past the fault")
			return
		}
		Expect(status).To(Equal(target.Status{ID: "n1", State: target.Offline, Reason: reason, LastContact: -1, Voter: true}))
		Expect(f.Node(1).Probes()).To(Equal(probes))
		err = c.WaitForNodeOnline(shortly(ctx), 1)
		Expect(err).To(MatchError("wait for node 1 (n1) to be online: its flag says offline, and it was not brought back; " +
			"it was last seen offline (" + reason + "): context deadline exceeded"))
		Expect(f.Node(1).Probes()).To(Equal(probes))
	})

	DescribeTable("that the target lacks is refused before anything changes", func(ctx SpecContext, mode fault.Mode, ability target.Ability) {
		c, f := bootOf(&fake.Target{Plain: true})
		Expect(c.Can(ability)).To(BeFalse())
		err := c.TakeNodeOffline(ctx, 1, mode)
		Expect(err).To(MatchError(harness.ErrUnsupported))
		Expect(err).To(MatchError("take offline on node 1 (n1): the target cannot " + string(ability)))
		var unsupported *harness.UnsupportedError
		Expect(errors.As(err, &unsupported)).To(BeTrue())
		Expect(unsupported.Ability).To(Equal(ability))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		Expect(f.Calls()).To(BeEmpty())
	},
		Entry("stop", patience, fault.Stop, target.Stop),
		Entry("crash", patience, fault.Crash, target.Crash),
		Entry("pause", patience, fault.Pause, target.Pause),
	)

	DescribeTable("is exactly one of the known modes", func(ctx SpecContext, message string, modes ...fault.Mode) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1, modes...)).To(MatchError("take offline on node 1 (n1): " + message))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		Expect(f.Calls()).To(BeEmpty())
	},
		Entry("two", patience, "expected one failure mode, not 2: [stop crash]", fault.Stop, fault.Crash),
		Entry("another", patience, `unknown failure mode "burn": the modes are isolate, stop, crash and pause`, fault.Mode("burn")),
	)

	It("is made by one of many concurrent calls", func(ctx SpecContext) {
		c, f := boot()
		var succeeded atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			mode := []fault.Mode{fault.Isolate, fault.Stop, fault.Crash, fault.Pause}[i%4]
			wg.Go(func() {
				if c.TakeNodeOffline(ctx, 1, mode) == nil {
					succeeded.Add(1)
				}
			})
		}
		wg.Wait()
		Expect(succeeded.Load()).To(BeEquivalentTo(1))
		Expect(f.Calls()).To(HaveLen(1))
		mode, _ := c.Lost(1)
		Expect(f.Calls()[0]).To(Equal(string(mode) + " 1"))
	}, patience)

	It("ends with its context, and has then not happened", func(ctx SpecContext) {
		c, f := boot()
		f.OnCall = func(ctx context.Context, _ string) error { <-ctx.Done(); return context.Cause(ctx) }
		Expect(c.TakeNodeOffline(shortly(ctx), 1, fault.Crash)).To(MatchError(context.DeadlineExceeded))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
	}, patience)
})

var _ = Describe("Lost", func() {
	It("is empty for a node that is online, or that does not exist", func() {
		c, _ := boot()
		for _, i := range []int{-1, 0, 3} {
			_, lost := c.Lost(i)
			Expect(lost).To(BeFalse())
		}
	})
})

var _ = Describe("A node that comes back wiped", func() {
	DescribeTable("is replaced, after it was crashed and its links were mended", func(ctx SpecContext, mode fault.Mode, calls ...string) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1, mode)).To(Succeed())
		Expect(c.BringNodeOnline(ctx, 1, harness.Wiped)).To(Succeed())
		Expect(f.Calls()).To(Equal(calls))
		Expect(flags(c)).To(Equal([]bool{true, true, true}))
		Expect(lines(c, 1)).To(Equal([]string{"flag node 1: bring online (wiped)"}))
	},
		Entry("isolated", patience, fault.Isolate, "isolate 1", "crash 1", "rejoin 1", "replace 1"),
		Entry("stopped", patience, fault.Stop, "stop 1", "replace 1"),
		Entry("crashed", patience, fault.Crash, "crash 1", "replace 1"),
		Entry("paused", patience, fault.Pause, "pause 1", "crash 1", "replace 1"),
	)

	It("has a healthy disk", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.SetDisk(ctx, 1, fault.Disk{Full: true})).To(Succeed())
		Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).To(Succeed())
		Expect(c.BringNodeOnline(ctx, 1, harness.Wiped)).To(Succeed())
		Expect(f.Calls()[2]).To(HavePrefix("disk 1 sound"))
		Expect(f.Calls()[3]).To(Equal("replace 1"))
		Expect(c.Faults().Disks).To(BeEmpty())
	}, patience)

	It("can be brought back again from the step that failed", func(ctx SpecContext) {
		c, f := boot()
		why := errors.New("no quorum")
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		failing(f, "rejoin 1", why)
		Expect(c.BringNodeOnline(ctx, 1, harness.Wiped)).To(MatchError("bring online on node 1 (n1): no quorum; its flag still says offline"))
		mode, lost := c.Lost(1)
		Expect(lost).To(BeTrue())
		Expect(mode).To(Equal(fault.Crash), "it no longer runs")
		failing(f, "replace 1", why)
		Expect(c.BringNodeOnline(ctx, 1, harness.Wiped)).To(MatchError(why))
		f.OnCall = nil
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed(), "or not wiped, after all")
		Expect(f.Calls()).To(Equal([]string{"isolate 1", "crash 1", "rejoin 1", "rejoin 1", "replace 1", "start 1"}))
	}, patience)

	It("is refused if the target cannot, and nothing changes", func(ctx SpecContext) {
		c, f := bootOf(&fake.Target{Plain: true})
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		Expect(c.BringNodeOnline(ctx, 1, harness.Wiped)).To(MatchError("bring online on node 1 (n1): the target cannot add and remove nodes"))
		mode, lost := c.Lost(1)
		Expect(lost).To(BeTrue())
		Expect(mode).To(Equal(fault.Isolate))
		Expect(f.Calls()).To(Equal([]string{"isolate 1"}))
		Expect(c.BringNodeOnline(ctx, 1)).To(Succeed())
	}, patience)

	It("takes no other option", func(ctx SpecContext) {
		c, f := boot()
		Expect(c.TakeNodeOffline(ctx, 1)).To(Succeed())
		for _, options := range [][]harness.ReturnOption{{"cleaned"}, {harness.Wiped, "cleaned"}, {"cleaned", harness.Wiped}} {
			Expect(c.BringNodeOnline(ctx, 1, options...)).To(
				MatchError(`bring online on node 1 (n1): unknown option "cleaned": a node can come back wiped`))
		}
		Expect(f.Calls()).To(HaveLen(1))
	}, patience)
})
