package harness_test

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
)

var _ = Describe("The journal of a cluster", func() {
	It("has an event for each call, with its error", func(ctx SpecContext) {
		c, f := boot()
		f.Answers("SELECT a", fake.Table("a", fake.Row("x")))
		f.Node(2).Answers("SELECT a", fake.Table("a", fake.Row("y")))
		n := node(c, 1)
		_, _ = n.Execute(ctx, "INSERT\n\tINTO t")
		_, _ = n.Execute(ctx, "INSERT", struct{}{})
		_ = c.TakeNodeOffline(ctx, 1)
		_ = c.TakeNodeOffline(ctx, 1)
		_, _ = n.Execute(ctx, "SELECT a")
		_ = c.VerifyDataConsistency(ctx, "SELECT a")
		ended, cancel := context.WithCancel(ctx)
		cancel()
		_ = c.WaitForNodeOnline(ended, 1)
		_ = c.BringNodeOnline(ctx, 1)
		_ = c.WaitForAllOnline(ctx)
		_ = c.VerifyInvariants(ctx)
		Expect(lines(c, -1)).To(Equal([]string{
			"boot: 3 nodes, seed 1",
			"operation node 1: INSERT INTO t",
			"operation node 1: INSERT -> execute on node 1 (n1): parameter 1 is a struct {}; allowed: nil, bool, int, int32, int64, " +
				"uint32, float32, float64, string, []byte",
			"fault node 1: isolate",
			"flag node 1: take offline (isolate)",
			"flag node 1: take offline (isolate) -> take offline on node 1 (n1): the node is already offline",
			"operation node 1: SELECT a -> execute on node 1 (n1): node n1: UNREACHABLE: connection refused (not applied)",
			`check: compare SELECT a -> node 0 (n0) and node 2 (n2) differ on "SELECT a", column a: node 0 (n0) has 'x', node 2 (n2) has ` +
				`'y': the rows are ('x') and ('y'); rows only on node 0 (n0): 1, only on node 2 (n2): 1`,
			`wait node 1: wait until online -> wait for node 1 (n1) to be online: its flag says offline, and it was not brought back; it ` +
				`was last seen connecting, applied index 2 of 2, no leader: context canceled`,
			"fault node 1: rejoin",
			"flag node 1: bring online",
			"wait: wait until all nodes are online",
			"check node 0: digest", "check node 1: digest", "check node 2: digest",
			"check: invariants",
		}))
	}, patience)

	DescribeTable("shows a statement on one line, and abridges it", func(ctx SpecContext, sql, shown string) {
		c, _ := boot(harness.Size(1))
		_, err := node(c, 0).Execute(ctx, sql)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.Journal().Last(1)[0].Text).To(Equal(shown))
	},
		Entry("that is short", patience, "SELECT 1", "SELECT 1"),
		Entry("that is empty", patience, "", ""),
		Entry("on many lines", patience, "\nSELECT\n\t1,\r\n  2 ", "SELECT 1, 2"),
		Entry("that just fits", patience, strings.Repeat("x", 120), strings.Repeat("x", 120)),
		Entry("that just does not", patience, strings.Repeat("x", 121), strings.Repeat("x", 120)+"…"),
		Entry("of words", patience, strings.Repeat("ab ", 50), strings.Repeat("ab ", 40)+"…"),
		Entry("in the middle of a character of two bytes", patience, "x"+strings.Repeat("é", 60), "x"+strings.Repeat("é", 59)+"…"),
		Entry("in the middle of a character of four", patience, "xx"+strings.Repeat("🛒", 30), "xx"+strings.Repeat("🛒", 29)+"…"),
		Entry("with much space first", patience, strings.Repeat(" ", 1000)+"SELECT 'é'", "SELECT 'é'"),
	)
})
