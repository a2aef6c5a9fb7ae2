package dqlite_test

import (
	"context"
	"errors"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/target"
)

const tolerates = "a cluster goes on as long as a majority of its nodes is there (README, \"fault-tolerant\")"

var _ = Describe("dqlite with a frozen application", func() {
	findings.It(findings.Finding{
		Title:   "a follower that freezes within a transaction blocks the writes of all others until it is back",
		Setting: setting, Claim: tolerates, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes)
		create(ctx, cluster)
		leader, err := cluster.Leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		frozen := (leader + 1) % 3
		tx, err := at(cluster, frozen).Begin(ctx, target.Serializable)
		Expect(err).NotTo(HaveOccurred())
		Expect(tx.Execute(ctx, "INSERT INTO t VALUES (1, 'of the frozen node')")).Error().NotTo(HaveOccurred())
		Expect(cluster.TakeNodeOffline(ctx, frozen, fault.Pause)).To(Succeed())

		// The leader and the third node are a majority. Each attempt is one write, which waits for the lock.
		waiting, cancel := context.WithTimeout(ctx, hopeless)
		tried, wrote := 0, false
		var last error
		for waiting.Err() == nil && !wrote {
			_, err := at(cluster, leader).Execute(waiting, "INSERT INTO t VALUES (2, 'of the leader')")
			tried, wrote = tried+1, err == nil
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				last = err
			}
		}
		cancel()
		Expect(cluster.BringNodeOnline(ctx, frozen)).To(Succeed())
		_ = tx.Rollback(ctx) // its leader may have ended it
		Expect(cluster.ExecuteWithRetry(ctx, "INSERT INTO t VALUES (3, 'after')")).Error().NotTo(HaveOccurred())
		if !wrote {
			show.Seen("none of %d writes at the leader was taken in %s; the last was refused with: %v; after the thaw they are taken",
				tried, hopeless, last)
		}
	}, SpecTimeout(3*time.Minute))
})
