package galera_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/galera"
	"github.com/rejoin-db/rejoin/specs"
)

var _ = Describe("Galera", Label("boots"), func() {
	It("boots three nodes, and has one row everywhere", func(ctx SpecContext) {
		begun := time.Now()
		c := specs.Cluster(ctx, prepared{galera.Options{}})
		GinkgoWriter.Println("boot", time.Since(begun))
		table := specs.Namespace(ctx, c) + ".t"
		Expect(c.ExecuteWithRetry(ctx, "CREATE TABLE "+table+" (n INTEGER NOT NULL)")).Error().NotTo(HaveOccurred())
		Expect(c.ExecuteWithRetry(ctx, "INSERT INTO "+table+" VALUES (1)")).Error().NotTo(HaveOccurred())
		GinkgoWriter.Println("row", time.Since(begun))
		Expect(c.VerifyDataConsistency(ctx, "SELECT n FROM "+table)).To(Succeed())
		GinkgoWriter.Println("everywhere", time.Since(begun))
	}, SpecTimeout(3*time.Minute))
})
