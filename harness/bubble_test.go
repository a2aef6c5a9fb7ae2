package harness_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/target"
)

// TestInVirtualTime is a test and no spec, because synctest takes a *testing.T. In virtual time
// durations are exact.
func TestInVirtualTime(t *testing.T) {
	inBubble := func(name string, body func(g Gomega, ctx context.Context, c *harness.Cluster, f *fake.Cluster)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewWithT(t)
				var made fake.Target
				c, err := harness.Boot(t.Context(), &made)
				g.Expect(err).NotTo(HaveOccurred())
				defer func() { g.Expect(c.Close()).To(Succeed()) }()
				body(g, t.Context(), c, made.Last())
			})
		})
	}
	hangs := func(ctx context.Context, s target.Status) (target.Status, error) {
		<-ctx.Done()
		return s, ctx.Err()
	}

	inBubble("links flap at their period", func(g Gomega, ctx context.Context, c *harness.Cluster, f *fake.Cluster) {
		stop, err := c.Flapping(ctx, time.Second, link(0, 1))
		g.Expect(err).NotTo(HaveOccurred())
		time.Sleep(3*time.Second + 100*time.Millisecond)
		g.Expect(f.Calls()).To(HaveLen(1 + 6))
		g.Expect(stop()).To(Succeed())
		time.Sleep(time.Hour)
		g.Expect(f.Calls()).To(HaveLen(1 + 6 + 1))
	})

	inBubble("parallel probes of nodes that hang take a second together",
		func(g Gomega, ctx context.Context, c *harness.Cluster, f *fake.Cluster) {
			f.Node(1).OnStatus(hangs)
			f.Node(2).OnStatus(hangs)
			begun := time.Now()
			_, err := c.Leader(ctx)
			g.Expect(err).To(MatchError(ContainSubstring("node 2 (n2): context deadline exceeded")))
			g.Expect(time.Since(begun)).To(Equal(time.Second))

			f.Node(2).OnStatus(nil)
			begun = time.Now()
			g.Expect(c.WaitForNodeOnline(ctx, 2)).To(Succeed())
			g.Expect(c.Leader(ctx)).To(Equal(0))
			g.Expect(time.Since(begun)).To(Equal(2 * time.Second))

			begun = time.Now()
			g.Expect(c.TakeNodeOffline(ctx, 2)).To(Succeed())
			g.Expect(time.Since(begun)).To(Equal(100*time.Millisecond), "the measurement takes 100 ms at most")
			begun = time.Now()
			g.Expect(c.TakeNodeOffline(ctx, 1, fault.Crash)).To(Succeed())
			g.Expect(time.Since(begun)).To(Equal(time.Second), "it is probed for a second at most before it crashes")
			begun = time.Now()
			_, err = c.Leader(ctx)
			g.Expect(err).To(HaveOccurred())
			g.Expect(time.Since(begun)).To(BeZero(), "a node that is stopped is not asked")
		})

	inBubble("a comparison waits no longer than its bounds", func(g Gomega, ctx context.Context, c *harness.Cluster, f *fake.Cluster) {
		settlesInBounds(ctx, g, c, f)
	})

	inBubble("a change of members waits for the one before it", func(g Gomega, ctx context.Context, c *harness.Cluster, f *fake.Cluster) {
		f.OnCall = func(_ context.Context, call string) error {
			if strings.HasPrefix(call, "add") {
				time.Sleep(time.Minute)
			}
			return nil
		}
		begun := time.Now()
		done := make(chan error)
		go func() { _, err := c.AddNode(ctx); done <- err }()
		synctest.Wait()
		g.Expect(c.RemoveNode(ctx, 2)).To(Succeed())
		g.Expect(time.Since(begun)).To(Equal(time.Minute))
		g.Expect(<-done).To(Succeed())
	})
}
