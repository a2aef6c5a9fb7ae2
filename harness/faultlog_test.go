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
	"github.com/rejoin-db/rejoin/harness/journal"
)

// faultsOf are the faults in the journal: what begins with its ID, and which IDs end.
func faultsOf(c *harness.Cluster) []string {
	var found []string
	for _, e := range c.Journal().Events() {
		switch {
		case e.Fault != nil:
			line := fmt.Sprintf("%s %s %d %v", e.Fault.Kind, e.Fault.Phase, e.Fault.ID, e.Fault.Ended)
			found = append(found, strings.TrimSpace(line))
		case e.Member != nil && len(e.Member.Ended) > 0:
			found = append(found, fmt.Sprint("member ", e.Member.Ended))
		}
	}
	return found
}

var _ = Describe("A fault in the journal", func() {
	DescribeTable("names what it begins and ends", func(ctx SpecContext, do func(context.Context, *harness.Cluster) error, want ...string) {
		c, _ := boot()
		Expect(do(ctx, c)).To(Succeed())
		Expect(faultsOf(c)).To(Equal(want))
	},
		Entry("a node that is isolated", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.TakeNodeOffline(ctx, 1), c.BringNodeOnline(ctx, 1))
		}, "isolate begins 1 []", "isolate ends 0 [1]"),
		Entry("a node that crashes and loses its disk", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.SetDisk(ctx, 2, fault.Disk{Full: true}), c.TakeNodeOffline(ctx, 2, fault.Crash),
				c.BringNodeOnline(ctx, 2, harness.Wiped))
		}, "disk begins 1 []", "crash begins 2 []", "disk ends 0 [1]", "wipe ends 0 [2]"),
		Entry("a paused node that comes back wiped has crashed", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.TakeNodeOffline(ctx, 2, fault.Pause), c.BringNodeOnline(ctx, 2, harness.Wiped))
		}, "pause begins 1 []", "crash begins 2 [1]", "wipe ends 0 [2]"),
		Entry("a clock that jumps", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.SetClock(ctx, 0, time.Second), c.SetClock(ctx, 0, -time.Second), c.SetClock(ctx, 0, 0))
		}, "clock begins 1 []", "clock begins 2 [1]", "clock ends 0 [2]"),
		Entry("a partition that is mended link by link", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.Partition(ctx, []int{0}, []int{1}), c.Mend(ctx, link(0, 1)), c.Mend(ctx, link(1, 0)))
		}, "partition begins 1 []", "cut ends 0 []", "cut ends 0 [1]"),
		Entry("a slow link that is cut and mended is slow still", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.SetLink(ctx, 0, 1, fault.Rule{Latency: 5}), c.Cut(ctx, fault.Drop, link(0, 1)),
				c.Mend(ctx, link(0, 1)), c.MendLinks(ctx))
		}, "link begins 1 []", "cut begins 2 []", "cut ends 0 [2]", "cut ends 0 [1]"),
		Entry("a link that is armed", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.ResetLink(ctx, 0, 1), c.MendLinks(ctx))
		}, "reset link begins 1 []", "cut ends 0 [1]"),
		Entry("a cut that changes nothing", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.Cut(ctx, fault.Drop, link(0, 1)), c.Cut(ctx, fault.Drop, link(0, 1)))
		}, "cut begins 1 []", "cut begins 0 []"),
		Entry("a node that is removed takes its faults along", func(ctx context.Context, c *harness.Cluster) error {
			return errors.Join(c.SetClock(ctx, 1, 5), c.SetDisk(ctx, 2, fault.Disk{Slow: 5}), c.Cut(ctx, fault.Drop, link(0, 2)),
				c.RemoveNode(ctx, 2))
		}, "clock begins 1 []", "disk begins 2 []", "cut begins 3 []", "member [2 3]"),
	)

	It("begins nothing if it fails", func(ctx SpecContext) {
		c, f := boot()
		f.OnCall = func(context.Context, string) error { return errors.New("no such process") }
		Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).NotTo(Succeed())
		Expect(faultsOf(c)).To(Equal([]string{"crash begins 0 []"}))
		Expect(c.Journal().Events()).To(ContainElement(And(HaveField("Kind", journal.Fault), HaveField("Err", Not(BeEmpty())))))
	})
})
