//go:build bench

package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/process"
)

var _ = Describe("figures of child processes", Serial, Ordered, ContinueOnFailure, func() {
	var t *process.Target
	BeforeAll(func() {
		binary, err := gexec.Build(process.Package)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(gexec.CleanupBuildArtifacts)
		t = process.New(process.FromSettings(cluster, func() string { return binary }))
	})

	bootProcesses := func(ctx SpecContext) *harness.Cluster {
		GinkgoHelper()
		c, err := harness.Boot(ctx, t, harness.Size(cluster.Nodes))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
		return c
	}
	const insert = "INSERT INTO t (v) VALUES ('some words of text')"

	It("boot", func(ctx SpecContext) {
		const name = "processes: exec of three nodes to the first committed write"
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			begun := time.Now()
			c, err := harness.Boot(ctx, t, harness.Size(cluster.Nodes))
			Expect(err).NotTo(HaveOccurred())
			run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
			e.RecordDuration(name, time.Since(begun))
			Expect(c.Close()).To(Succeed())
		}, gmeasure.SamplingConfig{N: 20})
		record(e, name, "200 ms", "ms")
	}, long)

	It("lose a follower", func(ctx SpecContext) {
		const name = "processes: SIGKILL of a follower, 1,000 rows, restart: from exec to all applied"
		c := bootProcesses(ctx)
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			leader, err := c.Leader(ctx)
			Expect(err).NotTo(HaveOccurred())
			victim := (leader + 1) % c.Size()
			Expect(c.TakeNodeOffline(ctx, victim, fault.Crash)).To(Succeed())
			writeRows(ctx, c, leader, 1000)
			e.MeasureDuration(name, func() {
				Expect(c.BringNodeOnline(ctx, victim)).To(Succeed())
				Expect(c.WaitForNodeOnline(ctx, victim)).To(Succeed())
			})
		}, gmeasure.SamplingConfig{N: 15})
		Expect(c.VerifyDataConsistency(ctx, "SELECT * FROM t")).To(Succeed())
		record(e, name, "150 ms", "ms")
	}, long)

	It("lose their leader", func(ctx SpecContext) {
		const name = "processes: SIGKILL of the leader: next write acknowledged"
		c := bootProcesses(ctx)
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			leader, err := c.Leader(ctx)
			Expect(err).NotTo(HaveOccurred())
			e.MeasureDuration(name, func() {
				Expect(c.TakeNodeOffline(ctx, leader, fault.Crash)).To(Succeed())
				Expect(c.ExecuteWithRetry(ctx, insert)).Error().NotTo(HaveOccurred())
			})
			Expect(c.BringNodeOnline(ctx, leader)).To(Succeed())
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		}, gmeasure.SamplingConfig{N: 30})
		record(e, name, "200 ms", "ms")
	}, long)

	It("restart after all were killed", func(ctx SpecContext) {
		const name = "processes: all three killed, restarted with 1,000 rows: first write"
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			c, err := harness.Boot(ctx, t, harness.Size(cluster.Nodes))
			Expect(err).NotTo(HaveOccurred())
			run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
			leader, err := c.Leader(ctx)
			Expect(err).NotTo(HaveOccurred())
			writeRows(ctx, c, leader, 1000)
			everywhere(c, func(i int) error { return c.TakeNodeOffline(ctx, i, fault.Crash) })
			e.MeasureDuration(name, func() {
				everywhere(c, func(i int) error { return c.BringNodeOnline(ctx, i) })
				Expect(c.ExecuteWithRetry(ctx, insert)).Error().NotTo(HaveOccurred())
			})
			Expect(c.Close()).To(Succeed())
		}, gmeasure.SamplingConfig{N: 15})
		record(e, name, "250 ms", "ms")
	}, long)

	It("are cut apart", func(ctx SpecContext) {
		const cut, heal = "processes: a cut taking effect", "processes: a heal taking effect"
		c := bootProcesses(ctx)
		link := fault.Link{From: 1, To: 2}
		e := gmeasure.NewExperiment(cut)
		e.Sample(func(int) {
			e.MeasureDuration(cut, func() { Expect(c.Cut(ctx, fault.Drop, link)).To(Succeed()) })
			e.MeasureDuration(heal, func() { Expect(c.Mend(ctx, link)).To(Succeed()) })
		}, gmeasure.SamplingConfig{N: 200})
		record(e, cut, "1 ms", "ms")
		record(e, heal, "1 ms", "ms")
	}, long)

	DescribeTable("write", func(ctx SpecContext, name, reach string, writers int) {
		c := bootProcesses(ctx)
		leader, err := c.Leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		node, err := c.Node(leader)
		Expect(err).NotTo(HaveOccurred())
		e := gmeasure.NewExperiment(name)
		const length = 2 * time.Second
		e.Sample(func(int) {
			rate := rateOf(ctx, writers, length, func(ctx context.Context) error {
				_, err := node.Execute(ctx, insert)
				return err
			})
			e.RecordValue(name, rate)
		}, gmeasure.SamplingConfig{N: 7})
		record(e, name, reach, "a second")
	},
		Entry(nil, long, "processes: one writer, one statement a time, synced on a quorum", "1,500 a second", 1),
		Entry(nil, long, "processes: 64 writers", "5,000 a second", 64),
	)
})

// everywhere calls f for all nodes concurrently.
func everywhere(c *harness.Cluster, f func(i int) error) {
	GinkgoHelper()
	errs := make([]error, c.Size())
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	Expect(errors.Join(errs...)).To(Succeed())
}

// rateOf returns the operations per second of that many concurrent clients.
func rateOf(ctx context.Context, clients int, length time.Duration, f func(context.Context) error) float64 {
	GinkgoHelper()
	var done atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for range clients {
		wg.Go(func() {
			defer GinkgoRecover()
			for time.Since(begun) < length {
				Expect(f(ctx)).To(Succeed())
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}
