package process_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
)

var _ = Describe("A cluster of processes", func() {
	DescribeTable("works with any number of nodes", func(ctx SpecContext, size int) {
		c := boot(ctx, size)
		c.run(ctx, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
		c.run(ctx, "INSERT INTO t VALUES (1), (2)")
		Expect(c.Cluster).To(BeConsistent("SELECT * FROM t"))
		Eventually(ctx, c.Cluster).Should(HaveLeader())
		for _, n := range c.Nodes() {
			Eventually(ctx, n).Should(BeOnline())
		}
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	},
		Entry("1", patience, 1), Entry("3", patience, 3), Entry("5", patience, 5),
	)
})
