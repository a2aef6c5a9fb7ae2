package patroni_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/patroni"
)

const (
	// failovers is how often the spec tries.
	failovers = 30
	// delay is how long what others send takes to a former primary that is back. Its Patroni must ask its own etcd after that has heard
	// of the leader of etcd, and before it has caught up: a round trip.
	delay = time.Second
)

var _ = Describe("Patroni after a partition", func() {
	BeforeEach(named)

	findings.It(findings.Finding{
		Title: "acknowledged writes are lost when a former primary comes back, takes the leader key from its successor, and is promoted " +
			"on the same timeline",
		Setting: "synchronous",
		Claim: "a standby is promoted only if it has every acknowledged change, and one primary holds the leader key (Patroni, Replication " +
			"modes, synchronous mode)",
		Layer: findings.Server, Upstream: "https://github.com/patroni/patroni/pull/2689",
	}, func(ctx SpecContext, show *findings.Show) {
		c, table := begin(ctx, show, keeping{patroni.Synchronous, false})
		for round := range failovers {
			By(fmt.Sprintf("failing over, round %d", round+1))
			lost, all := comesBack(ctx, c, fmt.Sprintf("%s_%d", table, round), 20+100*round)
			if lost > 0 {
				show.Seen("%d of %d writes are lost that its successor had acknowledged while it was away, after %d failovers", lost, all, round+1)
				return
			}
		}
	}, SpecTimeout(30*time.Minute))
})

// comesBack isolates the primary until another has acknowledged so many writes, and brings it back. It counts which of them are lost.
func comesBack(ctx context.Context, c *harness.Cluster, table string, writes int) (lost, all int) {
	GinkgoHelper()
	Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (n INTEGER NOT NULL)")).Error().NotTo(HaveOccurred())
	was := leader(ctx, c)
	Expect(c.TakeNodeOffline(ctx, was, fault.Isolate)).To(Succeed())
	deposed(ctx, c, was)
	w := write(ctx, c, others(c, was)[0], table, 1, giveUp{})
	w.await(ctx, writes)
	acknowledged := w.soFar()
	for _, i := range others(c, was) {
		Expect(c.SetLink(ctx, i, was, fault.Rule{Latency: delay})).To(Succeed())
	}
	Expect(c.BringNodeOnline(ctx, was)).To(Succeed())
	took(ctx, c, was)
	Expect(c.MendLinks(ctx)).To(Succeed())
	settling, cancel := context.WithTimeout(ctx, 45*time.Second)
	defer cancel()
	settled := c.WaitForAllOnline(settling)
	w.stop()
	if !leads(ctx, c, was) { // if it does, the others may not follow, so that no majority names a leader
		Expect(settled).To(Succeed())
		return 0, len(acknowledged)
	}
	all = len(acknowledged)
	return len(missing(ctx, c, table, acknowledged)), all
}

// took waits until a node leads, or until its etcd must have caught up.
func took(ctx context.Context, c *harness.Cluster, was int) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, 5*delay)
	defer cancel()
	again := time.NewTicker(delay / 10)
	defer again.Stop()
	for !leads(ctx, c, was) {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// leads tells whether a node says that it leads.
func leads(ctx context.Context, c *harness.Cluster, i int) bool {
	GinkgoHelper()
	node, err := c.Node(i)
	Expect(err).NotTo(HaveOccurred())
	s, err := node.Status(ctx)
	return err == nil && s.Role == "leader"
}
