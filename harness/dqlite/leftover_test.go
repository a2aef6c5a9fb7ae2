package dqlite_test

import (
	"context"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/harness/target"
)

const (
	// partitions is how often each finding of this file is tried.
	partitions = 40
	// hopeless is how long a node that is back may lag: fifty election timeouts.
	hopeless = 15 * time.Second
	// heartbeat is how long a leader waits until it sends an entry to a follower that has not answered yet.
	heartbeat = 30 * time.Millisecond
)

// The claims that the findings are about.
const (
	undone    = "a committed transaction is never undone (FAQ), and it is committed when a majority has it"
	catchesUp = "all nodes have the same data: each applies what is committed (README, \"fully-replicated\")"
)

// A former leader may have an entry in its log that was never committed. It answers a heartbeat with the index of that entry, and the new
// leader takes this for the last entry that both have.
var _ = Describe("dqlite with an entry of a former leader", func() {
	findings.It(findings.Finding{
		Title:   "a write is acknowledged that only the leader has, and is lost with it: a former leader has another entry at that index",
		Setting: setting, Claim: undone, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes)
		create(ctx, cluster)
		acknowledged := 0
		for round := range partitions {
			former, leader := succeeded(ctx, cluster, round)
			other := 3 - former - leader
			// The leader reaches no other node when it gets the write, and then the former leader only. Heartbeats that it sent
			// before the write are to arrive after it, and before the next one.
			cut(ctx, cluster, leader, other)
			wrote := make(chan error, 1)
			go func() {
				_, err := at(cluster, leader).Execute(ctx, "INSERT INTO t VALUES (?, 'acknowledged')", round)
				wrote <- err
			}()
			elapses(ctx, rand.N(heartbeat))
			Expect(cluster.Mend(ctx, fault.Around(former, []int{leader})...)).To(Succeed())
			if <-wrote != nil {
				continue
			}
			acknowledged++
			cut(ctx, cluster, former, leader)
			Expect(cluster.Mend(ctx, fault.Around(former, []int{other})...)).To(Succeed())
			Expect(cluster.ExecuteWithRetry(ctx, "INSERT INTO t VALUES (?, 'later')", round)).Error().NotTo(HaveOccurred())
			there := texts(ctx, cluster, round)
			if !there["acknowledged"] {
				show.Seen("of %d writes that were acknowledged by a leader which the others then lost, one is not there; of the same round the "+
					"write that its former leader refused is there: %t", acknowledged, there["without a quorum"])
				return
			}
		}
	}, SpecTimeout(10*time.Minute))

	findings.It(findings.Finding{
		Title:   "a former leader follows its successor, and does not apply what is committed until the next write",
		Setting: setting, Claim: catchesUp, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		cluster := show.Cluster(ctx, nodes)
		create(ctx, cluster)
		for round := range partitions {
			succeeded(ctx, cluster, round)
			Expect(cluster.ExecuteWithRetry(ctx, "INSERT INTO t VALUES (?, 'under another leader')", round)).Error().NotTo(HaveOccurred())
			settling, cancel := context.WithTimeout(ctx, hopeless)
			err := cluster.Heal(settling)
			cancel()
			if err != nil {
				Expect(cluster.ExecuteWithRetry(ctx, "INSERT INTO t VALUES (?, 'next')", round)).Error().NotTo(HaveOccurred())
				Expect(cluster.WaitForAllOnline(ctx)).To(Succeed())
				show.Seen("%s after all links were mended, in round %d: %v; with the next write it was online", hopeless, round+1, err)
				return
			}
		}
	}, SpecTimeout(10*time.Minute))
})

func create(ctx context.Context, cluster *harness.Cluster) {
	GinkgoHelper()
	Expect(cluster.ExecuteWithRetry(ctx, "CREATE TABLE t (round INTEGER NOT NULL, v TEXT NOT NULL)")).Error().NotTo(HaveOccurred())
}

// succeeded heals the cluster, isolates the leader, which then gets a write, and waits until another node leads.
func succeeded(ctx context.Context, cluster *harness.Cluster, round int) (former, leader int) {
	GinkgoHelper()
	Expect(cluster.MendLinks(ctx)).To(Succeed())
	Expect(cluster.ExecuteWithRetry(ctx, "INSERT INTO t VALUES (?, 'before')", round)).Error().NotTo(HaveOccurred())
	Expect(cluster.WaitForAllOnline(ctx)).To(Succeed())
	former, err := cluster.IsolateLeader(ctx)
	Expect(err).NotTo(HaveOccurred())
	Expect(at(cluster, former).Execute(ctx, "INSERT INTO t VALUES (?, 'without a quorum')", round)).Error().To(HaveOccurred())
	Eventually(ctx, func(ctx context.Context) bool {
		for _, node := range cluster.Nodes() {
			s, err := node.Status(ctx)
			if err == nil && node.Index() != former && s.Role == "leader" && s.State == target.Online {
				leader = node.Index()
				return true
			}
		}
		return false
	}).WithTimeout(time.Minute).Should(BeTrue(), "no other node leads")
	return former, leader
}

// texts are those of a round.
func texts(ctx context.Context, cluster *harness.Cluster, round int) map[string]bool {
	GinkgoHelper()
	result, err := cluster.ExecuteWithRetry(ctx, "SELECT v FROM t WHERE round = ?", round)
	Expect(err).NotTo(HaveOccurred())
	there := map[string]bool{}
	for _, row := range result.Rows() {
		text, _ := row[0].(string)
		there[text] = true
	}
	return there
}

func cut(ctx context.Context, cluster *harness.Cluster, a, b int) {
	GinkgoHelper()
	Expect(cluster.Cut(ctx, fault.Drop, fault.Around(a, []int{b})...)).To(Succeed())
}

// elapses blocks for a time: the write races with heartbeats that are on their way, and no event tells how far they are.
func elapses(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func at(cluster *harness.Cluster, i int) *harness.Node {
	GinkgoHelper()
	node, err := cluster.Node(i)
	Expect(err).NotTo(HaveOccurred())
	return node
}
