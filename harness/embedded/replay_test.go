package embedded_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

// gatedMachine applies nothing until gate is closed.
type gatedMachine struct {
	raft.BatchingFSM
	gate <-chan struct{}
}

func (m gatedMachine) ApplyBatch(logs []*raft.Log) []any {
	<-m.gate
	return m.BatchingFSM.ApplyBatch(logs)
}

var _ = Describe("A node that restarts without a quorum", func() {
	// aged boots three nodes and waits until each has applied 20 rows.
	aged := func(ctx context.Context, tweaks ...tweak) *cluster {
		GinkgoHelper()
		c := boot(3, tweaks...)
		leader := c.leader(ctx)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		fill(ctx, c.session(leader), 0, 20)
		for i := range c.nodes {
			Eventually(ctx, func() int { return c.session(i).count(ctx, "local", "t") }).Should(Equal(20))
		}
		return c
	}

	ends := map[string]func(ctx context.Context, c *cluster, i int){
		"was stopped": func(ctx context.Context, c *cluster, i int) { Expect(c.nodes[i].Stop(ctx)).To(Succeed()) },
		"was closed":  func(_ context.Context, c *cluster, i int) { Expect(c.nodes[i].Close()).To(Succeed()) },
	}
	for name, end := range ends {
		DescribeTable("serves local reads of all entries that it had applied when it "+name, func(ctx SpecContext, tweaks ...tweak) {
			c := aged(ctx, tweaks...)
			before := c.nodes[1].Health()
			c.each(func(i int) { end(ctx, c, i) })
			for range 2 {
				c.start(1)
				Expect(c.session(1).count(ctx, "local", "t")).To(Equal(20))
				health := c.nodes[1].Health()
				Expect(health.CommitIndex).To(BeNumerically(">=", before.AppliedIndex))
				Expect(health.AppliedIndex).To(BeNumerically(">=", before.AppliedIndex))
				Expect(health.Behind).To(BeZero())
				Expect(health.State).To(Equal(embedded.Connecting))
				Expect(health.Voter).To(BeTrue(), "it knows its members")
				Expect(health.Activity).To(BeEmpty())
				end(ctx, c, 1)
			}
			c.startAll()
			leader := c.leader(ctx)
			fill(ctx, c.session(leader), 20, 30)
			c.converge(ctx)
			Expect(c.session(1).count(ctx, "local", "t")).To(Equal(30))
		},
			Entry("from its log alone"),
			Entry("from a snapshot and its log", snapshots(8, 3), snapshotsSoon),
			Entry("from a snapshot alone", snapshots(1, -1), snapshotsSoon),
		)
	}

	It("refuses local reads until it has replayed its log, and reports its progress", func(ctx SpecContext) {
		var gate atomic.Pointer[chan struct{}]
		open := make(chan struct{})
		close(open)
		gate.Store(&open)
		c := aged(ctx, func(c *embedded.Config) {
			c.Seams = func(embedded.Life) embedded.Seams {
				return embedded.Seams{Machine: func(inner raft.BatchingFSM) raft.BatchingFSM {
					return gatedMachine{inner, *gate.Load()}
				}}
			}
		})
		c.each(func(i int) { Expect(c.nodes[i].Close()).To(Succeed()) })
		shut := make(chan struct{})
		gate.Store(&shut)
		c.start(0)
		letThrough := func() {
			if shut != nil {
				close(shut)
				shut = nil
			}
		}
		defer letThrough()

		a := c.session(0).do(ctx, "local", "SELECT count(*) FROM t")
		Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable))
		Expect(a.Error.Code).To(Equal(embedded.CodeReplaying))
		Expect(a.Error.Message).To(MatchRegexp(`applied 0 of \d\d entries`))
		Expect(embedded.Temporary(a.Error.Code)).To(BeTrue())
		health := c.nodes[0].Health()
		Expect(health.Activity).To(ContainSubstring("replaying the log"))
		Expect(health.Behind).To(BeNumerically(">", 20))
		Expect(health.State).To(Equal(embedded.Connecting))

		letThrough()
		Expect(c.session(0).count(ctx, "local", "t")).To(Equal(20))
	})

	It("takes snapshots again once it has a leader", func(ctx SpecContext) {
		c := aged(ctx, snapshots(1<<20, -1))
		for range 3 {
			c.each(func(i int) { Expect(c.nodes[i].Close()).To(Succeed()) })
			c.startAll()
			leader := c.leader(ctx)
			c.session(leader).ok(ctx, "", "INSERT INTO t DEFAULT VALUES")
			c.converge(ctx)
			for i := range c.nodes {
				Eventually(ctx, func() error { return c.nodes[i].Snapshot(ctx) }).Should(Succeed())
			}
		}
		c.each(func(i int) { Expect(c.nodes[i].Close()).To(Succeed()) })
		c.startAll()
		c.leader(ctx)
		c.converge(ctx)
		Expect(c.session(0).count(ctx, "strong", "t")).To(Equal(23))
	})
})

// snapshotsSoon makes a node check often whether a snapshot is due.
func snapshotsSoon(c *embedded.Config) { c.SnapshotInterval = 10 * time.Millisecond }
