//go:build bench

// Raft draws its timeouts from math/rand. A seed controls those only with this setting.
//
//go:debug randseednop=0
package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// build is the suffix of a figure's name in an exact build.
func build() string {
	if replay.Exact() {
		return ", exact"
	}
	return ""
}

var _ = Describe("figures of virtual time", Serial, Ordered, ContinueOnFailure, func() {
	BeforeAll(func() {
		threads, gc := runtime.GOMAXPROCS(1), debug.SetGCPercent(1000) // as in the suite
		DeferCleanup(func() { runtime.GOMAXPROCS(threads); debug.SetGCPercent(gc) })
	})

	// inBubble runs f in a bubble and returns how long it took in virtual and in real time.
	inBubble := func(f func(context.Context) error) (passed, took time.Duration) {
		GinkgoHelper()
		var err error
		wall := time.Now()
		synctest.Test(new(testing.T), func(*testing.T) {
			begun := time.Now()
			err = f(context.Background())
			passed = time.Since(begun)
		})
		Expect(err).NotTo(HaveOccurred())
		return passed, time.Since(wall)
	}

	DescribeTable("recovers", func(_ SpecContext, pace time.Duration) {
		t := virtual.New(virtual.FromSettings(cluster, nil)).AtPace(pace)
		what := fmt.Sprintf("recovery in virtual time%s, election timeout %v", build(), pace)
		e := gmeasure.NewExperiment(what)
		e.Sample(func(i int) {
			passed, took := inBubble(func(ctx context.Context) error {
				return recovery(ctx, harness.Seed(uint64(i)), t)
			})
			e.RecordDuration(what, took)
			e.RecordValue(what+": cluster time against real time", float64(passed)/float64(took))
			e.RecordValue(what+": scenarios a second", float64(time.Second)/float64(took))
		}, gmeasure.SamplingConfig{N: 200})
		record(e, what, "10 ms", "ms")
		record(e, what+": cluster time against real time", "1,000 times", "times")
		record(e, what+": scenarios a second", "150", "a second")
	},
		Entry(nil, long, 50*time.Millisecond),
		Entry(nil, long, time.Second), // Raft's default
		Entry(nil, long, 5*time.Second),
	)

	It("recovers side by side", func(_ SpecContext) {
		const tries = 200
		what := fmt.Sprintf("recoveries a second in virtual time%s, two threads with a bubble each", build())
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
		e := gmeasure.NewExperiment(what)
		e.Sample(func(int) {
			begun := time.Now()
			var wg sync.WaitGroup
			for thread := range 2 {
				wg.Go(func() {
					defer GinkgoRecover()
					for i := range tries / 2 {
						inBubble(func(ctx context.Context) error {
							return recovery(ctx, harness.Seed(uint64(2*i+thread)), virtual.New(virtual.FromSettings(cluster, nil)))
						})
					}
				})
			}
			wg.Wait()
			e.RecordValue(what, tries/time.Since(begun).Seconds())
		}, gmeasure.SamplingConfig{N: 5})
		record(e, what, "100", "a second")
	}, long)

	DescribeTable("writes for an hour", func(_ SpecContext, pace time.Duration) {
		what := fmt.Sprintf("one virtual hour of steady writes, 10 a second%s, election timeout %v", build(), pace)
		e := gmeasure.NewExperiment(what)
		e.Sample(func(i int) {
			_, took := inBubble(func(ctx context.Context) error {
				return steady(ctx, harness.Seed(uint64(i)), pace, time.Hour)
			})
			e.RecordDuration(what, took)
		}, gmeasure.SamplingConfig{N: 3})
		record(e, what, "30,000 ms", "ms")
	}, Entry(nil, long, 50*time.Millisecond), Entry(nil, long, time.Second))
})

// recovery takes a follower offline and back online, and then the leader.
func recovery(ctx context.Context, seed harness.Option, t target.Target) (err error) {
	c, err := harness.Boot(ctx, t, harness.Size(cluster.Nodes), seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)"); err != nil {
		return err
	}
	leader, err := c.Leader(ctx)
	if err != nil {
		return err
	}
	for _, victim := range []int{(leader + 1) % c.Size(), leader} {
		if err := c.TakeNodeOffline(ctx, victim); err != nil {
			return err
		}
		for i := range 5 {
			if _, err := c.ExecuteOnRandom(ctx, "INSERT INTO t (v) VALUES (?)", i); err != nil {
				return err
			}
		}
		if err := errors.Join(c.BringNodeOnline(ctx, victim), c.WaitForNodeOnline(ctx, victim)); err != nil {
			return err
		}
	}
	if err := c.VerifyInvariants(ctx); err != nil {
		return err
	}
	return c.VerifyDataConsistency(ctx, "SELECT * FROM t ORDER BY id")
}

// steady writes ten rows a second for the virtual duration d.
func steady(ctx context.Context, seed harness.Option, pace, d time.Duration) (err error) {
	c, err := harness.Boot(ctx, virtual.New(virtual.FromSettings(cluster, nil)).AtPace(pace), harness.Size(cluster.Nodes), seed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)"); err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range int(d / (100 * time.Millisecond)) {
		<-tick.C
		if _, err := c.ExecuteOnRandom(ctx, "INSERT INTO t (v) VALUES (?)", i); err != nil {
			return err
		}
	}
	return c.VerifyInvariants(ctx)
}
