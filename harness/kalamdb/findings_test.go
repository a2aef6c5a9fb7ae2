package kalamdb_test

import (
	"cmp"
	"context"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/findings"
	"github.com/rejoin-db/rejoin/specs"
)

const quorum = "a proposal is replicated to a quorum before it is acknowledged (raft-replication.md, Replication modes)"

var _ = Describe("KalamDB", func() {
	BeforeEach(func() { // the program does not tell its version before it serves
		findings.Of("KalamDB", cmp.Or(os.Getenv("KALAMDB_VERSION"), "(set KALAMDB_VERSION to its version)"))
	})

	findings.It(findings.Finding{
		Title:   "an acknowledged INSERT outside of a transaction is on the leader only, and is lost when that is killed",
		Setting: "one shard of user tables, defaults", Claim: quorum, Layer: findings.Server,
	}, func(ctx SpecContext, show *findings.Show) {
		alone := written(ctx, show.Cluster(ctx, nodes{autocommit: true}))
		within := written(ctx, show.Cluster(ctx, nodes{}))
		if alone < rows && within == rows {
			show.Seen("of %d acknowledged INSERTs %d are there after the leader was killed; between BEGIN and COMMIT all %d are",
				rows, alone, within)
		}
	}, SpecTimeout(6*time.Minute))
})

// rows is how many rows are written.
const rows = 20

// written writes rows, kills the leader, and counts what the next one has.
func written(ctx context.Context, cluster *harness.Cluster) int {
	GinkgoHelper()
	table := specs.Namespace(ctx, cluster) + ".t"
	Expect(cluster.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (k INTEGER PRIMARY KEY, v TEXT)")).Error().NotTo(HaveOccurred())
	leader, err := cluster.Leader(ctx)
	Expect(err).NotTo(HaveOccurred())
	node, err := cluster.Node(leader)
	Expect(err).NotTo(HaveOccurred())
	for k := range rows {
		Expect(node.Execute(ctx, "INSERT INTO "+table+" (k, v) VALUES (?, 'acknowledged')", k)).Error().NotTo(HaveOccurred())
	}
	Expect(count(ctx, cluster, table)).To(Equal(rows), "the leader itself does not have the rows")
	Expect(cluster.WaitForAllOnline(ctx)).To(Succeed())
	Expect(cluster.TakeNodeOffline(ctx, leader, fault.Crash)).To(Succeed())
	return count(ctx, cluster, table)
}

func count(ctx context.Context, cluster *harness.Cluster, table string) int {
	GinkgoHelper()
	result, err := cluster.ExecuteWithRetry(ctx, "SELECT k FROM "+table)
	Expect(err).NotTo(HaveOccurred())
	return len(result.Rows())
}
