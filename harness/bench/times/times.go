// Package times measures how long a database of any target takes to boot, to fail over and to catch up:
//
//	times.Register(times.Options{Target: mydb.New(…), Rounds: 5})
//
// declares specs with the label bench. They fail if the database does not recover, and never for being slow: machines
// are shared and noisy, so compare figures of one run with each other.
package times

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/bench"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/specs"
)

// Options are what to measure.
type Options struct {
	// Target boots each cluster, of three nodes.
	Target target.Target
	// Rounds is how often each time is measured; 0 is 5.
	Rounds int
	// Wait bounds each single recovery; 0 is 2 minutes.
	Wait time.Duration
}

// rows is how many rows a node misses while it is away.
const rows = 1000

// measuring is the state of the specs, one set for each call of Register.
type measuring struct {
	Options
	figures []bench.Figure
}

// Register declares the specs. Call it before the suite runs, once. When they end, the figures are printed as a table,
// and written to reports/bench.json in the folder of the suite.
func Register(o Options) bool {
	if o.Rounds == 0 {
		o.Rounds = 5
	}
	if o.Wait == 0 {
		o.Wait = 2 * time.Minute
	}
	m := &measuring{Options: o}
	limit := NodeTimeout(time.Duration(o.Rounds+1) * 3 * o.Wait)
	Describe("the times of a cluster", Serial, Ordered, ContinueOnFailure, Label("bench"), func() {
		It("to boot", m.boot, limit)
		It("until the next write, after its leader is cut off", func(ctx SpecContext) {
			m.failover(ctx, "leader cut off: next write acknowledged", fault.Isolate)
		}, limit)
		It("until the next write, after its leader is killed", func(ctx SpecContext) {
			m.failover(ctx, "leader killed: next write acknowledged", fault.Crash)
		}, limit)
		It("until a node has what it missed, after a cut", func(ctx SpecContext) {
			m.catchUp(ctx, fmt.Sprintf("node cut off, %d rows, healed: online with all of them", rows), fault.Isolate)
		}, limit)
		It("until a node has what it missed, after a kill", func(ctx SpecContext) {
			m.catchUp(ctx, fmt.Sprintf("node killed, %d rows, restarted: online with all of them", rows), fault.Crash)
		}, limit)
		AfterAll(func() {
			if len(m.figures) == 0 {
				return
			}
			AddReportEntry("figures", bench.Table(m.figures), ReportEntryVisibilityAlways)
			Expect(bench.Write(filepath.Join("reports", "bench.json"), m.figures)).To(Succeed())
		})
	})
	return true
}

// sample measures a time in all rounds. The function returns how long it took.
func (m *measuring) sample(name string, measure func() time.Duration) {
	GinkgoHelper()
	e := gmeasure.NewExperiment(name)
	for range m.Rounds {
		e.RecordDuration(name, measure())
	}
	m.figures = append(m.figures, bench.Of(e, name, "", "ms"))
}

func (m *measuring) boot(ctx SpecContext) {
	m.sample("boot of three nodes to the first committed write", func() time.Duration {
		begun := time.Now()
		c, err := harness.Boot(ctx, m.Target, harness.Size(3), harness.Seed(uint64(GinkgoRandomSeed())))
		Expect(err).NotTo(HaveOccurred())
		defer func() { Expect(c.Close()).To(Succeed()) }()
		Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)")).Error().NotTo(HaveOccurred())
		return time.Since(begun)
	})
}

// cluster is a new one with a table in a namespace. Every database of the suite has namespaces, if by its dialect.
func (m *measuring) cluster(ctx SpecContext) (c *harness.Cluster, table string) {
	GinkgoHelper()
	c = specs.Cluster(ctx, m.Target, harness.Size(3))
	table = specs.Namespace(ctx, c) + ".t"
	Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (id INTEGER PRIMARY KEY, v TEXT)")).Error().NotTo(HaveOccurred())
	return c, table
}

// insert writes a row by any node that can, until it is acknowledged.
func insert(ctx context.Context, c *harness.Cluster, table string, id int) error {
	_, err := c.ExecuteWithRetry(ctx, "INSERT INTO "+table+" (id, v) VALUES (?, 'some words of text')", id)
	return err
}

// failover is the time from a fault of the leader, or of node 0 where none leads, to the next acknowledged write.
func (m *measuring) failover(ctx SpecContext, name string, mode fault.Mode) {
	c, table := m.cluster(ctx)
	id := 0
	m.sample(name, func() time.Duration {
		victim, err := c.Leader(ctx)
		if err != nil {
			victim = 0
		}
		within, cancel := context.WithTimeout(ctx, m.Wait)
		defer cancel()
		begun := time.Now()
		Expect(c.TakeNodeOffline(within, victim, mode)).To(Succeed())
		id++
		Expect(insert(within, c, table, id)).To(Succeed())
		took := time.Since(begun)
		m.back(ctx, c, victim)
		return took
	})
	m.same(ctx, c, table, id)
}

// catchUp is the time from the return of a node, not the leader, until it is online with all rows that it missed.
func (m *measuring) catchUp(ctx SpecContext, name string, mode fault.Mode) {
	c, table := m.cluster(ctx)
	id := 0
	m.sample(name, func() time.Duration {
		leader, err := c.Leader(ctx)
		if err != nil {
			leader = 0
		}
		victim := (leader + 1) % c.Size()
		Expect(c.TakeNodeOffline(ctx, victim, mode)).To(Succeed())
		for range rows {
			id++
			Expect(insert(ctx, c, table, id)).To(Succeed())
		}
		begun := time.Now()
		m.back(ctx, c, victim)
		return time.Since(begun)
	})
	m.same(ctx, c, table, id)
}

// back brings a node online and waits until all are.
func (m *measuring) back(ctx context.Context, c *harness.Cluster, node int) {
	GinkgoHelper()
	within, cancel := context.WithTimeout(ctx, m.Wait)
	defer cancel()
	Expect(c.BringNodeOnline(within, node)).To(Succeed())
	Expect(c.WaitForAllOnline(within)).To(Succeed())
}

// same expects all rows on all nodes.
func (m *measuring) same(ctx context.Context, c *harness.Cluster, table string, want int) {
	GinkgoHelper()
	Expect(c.VerifyDataConsistency(ctx, "SELECT * FROM "+table)).To(Succeed())
	result, err := c.ExecuteWithRetry(ctx, "SELECT count(*) FROM "+table)
	Expect(err).NotTo(HaveOccurred())
	Expect(result.Rows()).To(Equal([][]any{{int64(want)}}), "rows that are there, of those that were acknowledged")
}
