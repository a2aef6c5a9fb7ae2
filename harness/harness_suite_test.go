package harness_test

import (
	"context"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/journal"
)

func TestHarness(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Harness")
}

// patience ends a spec that waits for something that never happens.
const patience = SpecTimeout(20 * time.Second)

// soon is long enough for what needs no time, and short enough to wait for something that never
// happens.
const soon = 30 * time.Millisecond

// boot boots a cluster of fake nodes, and returns both its sides. It is closed
// after the spec, and has then left no goroutine.
func boot(opts ...harness.Option) (*harness.Cluster, *fake.Cluster) {
	GinkgoHelper()
	return bootOf(&fake.Target{}, opts...)
}

func bootOf(t *fake.Target, opts ...harness.Option) (*harness.Cluster, *fake.Cluster) {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
	})
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := harness.Boot(ctx, t, opts...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c, t.Last()
}

// node is the node of that index, which exists.
func node(c *harness.Cluster, i int) *harness.Node {
	GinkgoHelper()
	n, err := c.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return n
}

// shortly is a context that ends soon.
func shortly(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, soon)
	DeferCleanup(cancel)
	return ctx
}

// endingWhen is a context that ends, as by a deadline, once the condition holds: a number of
// probes takes any time on a busy machine.
func endingWhen(ctx context.Context, holds func() bool) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	ticker := time.NewTicker(time.Millisecond)
	go func() {
		defer close(watched)
		for !holds() && ctx.Err() == nil {
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
		cancel(context.DeadlineExceeded)
	}()
	DeferCleanup(func() {
		cancel(nil)
		<-watched
		ticker.Stop()
	})
	return ctx
}

// flags are the nodes' flags, as in [true false true].
func flags(c *harness.Cluster) []bool {
	GinkgoHelper()
	out := make([]bool, c.Size())
	for i := range out {
		up, err := c.IsNodeOnline(i)
		Expect(err).NotTo(HaveOccurred())
		out[i] = up
	}
	return out
}

// lines are the journal's latest events, without durations and the usage of nodes.
func lines(c *harness.Cluster, most int) []string {
	var out []string
	for _, e := range c.Journal().Last(most, journal.Resource, journal.Shown) {
		e.Took = 0
		out = append(out, e.String())
	}
	return out
}
