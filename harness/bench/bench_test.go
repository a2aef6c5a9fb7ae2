//go:build bench

package bench

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("figures", Serial, Ordered, ContinueOnFailure, func() {
	It("boots", func(ctx SpecContext) {
		const name = "boot of three nodes to the first committed write"
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			begun := time.Now()
			c, err := harness.Boot(ctx, newTarget(), harness.Size(cluster.Nodes))
			Expect(err).NotTo(HaveOccurred())
			run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
			e.RecordDuration(name, time.Since(begun))
			Expect(c.Close()).To(Succeed())
		}, gmeasure.SamplingConfig{N: 30})
		record(e, name, "100 ms", "ms")
	}, long)

	It("flips a flag", func(ctx SpecContext) {
		const name = "flag flip: take offline, bring online"
		c := boot(ctx)
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			begun := time.Now()
			Expect(errors.Join(c.TakeNodeOffline(ctx, 1), c.BringNodeOnline(ctx, 1))).To(Succeed())
			e.RecordDuration(name, time.Since(begun)/2)
		}, gmeasure.SamplingConfig{N: 1000})
		record(e, name, "0.01 ms each", "ms")
	}, long)

	DescribeTable("brings a node back", func(ctx SpecContext, name string, away time.Duration, tries int) {
		c := boot(ctx)
		run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			leader, err := c.Leader(ctx)
			Expect(err).NotTo(HaveOccurred())
			victim := (leader + 1) % c.Size()
			Expect(c.TakeNodeOffline(ctx, victim)).To(Succeed())
			returns := time.NewTimer(away)
			writeRows(ctx, c, leader, 1000)
			<-returns.C
			e.MeasureDuration(name, func() {
				Expect(c.BringNodeOnline(ctx, victim)).To(Succeed())
				Expect(c.WaitForNodeOnline(ctx, victim)).To(Succeed())
			})
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
			Expect(c.VerifyDataConsistency(ctx, "SELECT * FROM t")).To(Succeed())
		}, gmeasure.SamplingConfig{N: tries})
		record(e, name, "90 ms", "ms")
	},
		Entry(nil, long, "1,000 rows while away, from bring-back to applied all", time.Duration(0), 15),
		Entry(nil, long, "the same after 30 s away", 30*time.Second, 5),
	)

	It("loses its leader", func(ctx SpecContext) {
		const name = "leader isolated: next write acknowledged elsewhere"
		c := boot(ctx)
		run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
		e := gmeasure.NewExperiment(name)
		e.Sample(func(int) {
			leader, err := c.Leader(ctx)
			Expect(err).NotTo(HaveOccurred())
			e.MeasureDuration(name, func() {
				Expect(c.TakeNodeOffline(ctx, leader)).To(Succeed())
				run(ctx, c, "INSERT INTO t (v) VALUES ('x')")
			})
			Expect(c.BringNodeOnline(ctx, leader)).To(Succeed())
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		}, gmeasure.SamplingConfig{N: 30})
		record(e, name, "150 ms", "ms")
	}, long)

	It("writes", func(ctx SpecContext) {
		c := boot(ctx)
		run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
		leader, err := c.Leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		e := gmeasure.NewExperiment("writes")
		for _, at := range []struct {
			name string
			node int
		}{{"one write on the leader", leader}, {"one write through a follower, which has then applied it", (leader + 1) % c.Size()}} {
			node, err := c.Node(at.node)
			Expect(err).NotTo(HaveOccurred())
			e.SampleDuration(at.name, func(int) {
				_, err := node.Execute(ctx, "INSERT INTO t (v) VALUES ('x')")
				Expect(err).NotTo(HaveOccurred())
			}, gmeasure.SamplingConfig{N: 500})
			record(e, at.name, "", "ms")
		}
	}, long)

	It("executes on all", func(ctx SpecContext) {
		const ratio = "ExecuteOnAll against one query"
		c := boot(ctx).Reading(target.Local)
		fill(ctx, c, 100_000)
		const query = "SELECT count(*), sum(length(name)), max(score) FROM t"
		e := gmeasure.NewExperiment(ratio)
		e.Sample(func(int) {
			begun := time.Now()
			_, err := c.ExecuteOnRandom(ctx, query)
			one := time.Since(begun)
			Expect(err).NotTo(HaveOccurred())
			begun = time.Now()
			_, err = c.ExecuteOnAll(ctx, query)
			all := time.Since(begun)
			Expect(err).NotTo(HaveOccurred())
			e.RecordValue(ratio, float64(all)/float64(one))
		}, gmeasure.SamplingConfig{N: 100})
		record(e, ratio, "2 times", "times")
	}, long)

	It("streams a million rows", func(ctx SpecContext) {
		c := boot(ctx).Reading(target.Local)
		fill(ctx, c, 1_000_000)
		node, err := c.Node(1)
		Expect(err).NotTo(HaveOccurred())
		const (
			query  = "SELECT id, name, score FROM t"
			first  = "1,000,000 rows from one node: first row"
			all    = "1,000,000 rows from one node: all"
			memory = "1,000,000 rows from one node: heap of both ends together"
			check  = "VerifyDataConsistency of 1,000,000 rows, three nodes"
			ratio  = "VerifyDataConsistency against one node's own streaming"
			held   = "VerifyDataConsistency: heap of harness and nodes together"
		)
		e := gmeasure.NewExperiment("stream")
		e.Sample(func(int) {
			peak := watchHeap()
			begun := time.Now()
			firstRow, rows, bytes := stream(ctx, node, query)
			whole := time.Since(begun)
			e.RecordDuration(first, firstRow)
			e.RecordDuration(all, whole)
			e.RecordValue(memory, peak())
			Expect(rows).To(Equal(1_000_000))
			Expect(bytes).To(BeNumerically(">", 24_000_000))

			peak = watchHeap()
			begun = time.Now()
			Expect(c.VerifyDataConsistency(ctx, query)).To(Succeed())
			took := time.Since(begun)
			e.RecordDuration(check, took)
			e.RecordValue(ratio, float64(took)/float64(whole))
			e.RecordValue(held, peak())
		}, gmeasure.SamplingConfig{N: 9})
		record(e, first, "10 ms", "ms")
		record(e, all, "1,500 ms", "ms")
		record(e, memory, "64 MiB at each end", "MiB")
		record(e, check, "", "ms")
		record(e, ratio, "2 times", "times")
		record(e, held, "64 MiB in the harness", "MiB")
	}, long)
})

// writeRows inserts rows with one statement each, from eight concurrent clients of one node.
func writeRows(ctx SpecContext, c *harness.Cluster, at, rows int) {
	GinkgoHelper()
	node, err := c.Node(at)
	Expect(err).NotTo(HaveOccurred())
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			defer GinkgoRecover()
			for next.Add(1) <= int64(rows) {
				_, err := node.Execute(ctx, "INSERT INTO t (v) VALUES ('some words of text')")
				Expect(err).NotTo(HaveOccurred())
			}
		})
	}
	wg.Wait()
}

// fill makes a table whose rows take about 25 bytes each in a result.
func fill(ctx SpecContext, c *harness.Cluster, rows int) {
	GinkgoHelper()
	run(ctx, c, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, score REAL)")
	const batch = 100_000
	for from := 0; from < rows; from += batch {
		run(ctx, c, `INSERT INTO t WITH RECURSIVE n(i) AS (SELECT ? + 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT i, 'name' || (i % 99991), (i % 1000) / 8.0 FROM n`, from, from+batch)
	}
	Expect(c.WaitForAllOnline(ctx)).To(Succeed())
}

func stream(ctx context.Context, node *harness.Node, query string) (first time.Duration, rows, bytes int) {
	GinkgoHelper()
	begun := time.Now()
	answer, err := node.Query(ctx, query)
	Expect(err).NotTo(HaveOccurred())
	for answer.NextResult() {
		for answer.Next() {
			if rows == 0 {
				first = time.Since(begun)
			}
			rows++
			bytes += len(answer.Raw())
		}
	}
	Expect(errors.Join(answer.Err(), answer.Close())).To(Succeed())
	return first, rows, bytes
}

// watchHeap starts to watch the heap in use. The returned function stops that and returns the maximum growth in MiB.
func watchHeap() func() float64 {
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		var now runtime.MemStats
		peak := before.HeapInuse
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapInuse)
			case <-stop:
				done <- peak
				return
			}
		}
	}()
	return func() float64 {
		close(stop)
		return float64(<-done-before.HeapInuse) / (1 << 20)
	}
}
