package specs_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/local"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/specs"
)

// A spec of one's own: the test that runs the suite, and the spec.
func ExampleCluster() {
	_ = func(t *testing.T) { specs.Run(t, "Shop") } // TestShop

	_ = func() bool {
		return Describe("An order", func() {
			It("reaches a node that was away", func(ctx SpecContext) {
				cluster := specs.Cluster(ctx, local.New(local.Options{}), harness.Size(5))
				Expect(cluster.ExecuteOnRandom(ctx, "CREATE TABLE orders (item TEXT)")).Error().NotTo(HaveOccurred())
				Expect(cluster.TakeNodeOffline(ctx, 1)).To(Succeed())
				Expect(cluster.ExecuteOnRandom(ctx, "INSERT INTO orders VALUES ('tea')")).Error().NotTo(HaveOccurred())
				Expect(cluster.BringNodeOnline(ctx, 1)).To(Succeed())
				Expect(cluster.WaitForNodeOnline(ctx, 1)).To(Succeed())
				Expect(cluster).To(BeConsistent("SELECT * FROM orders"))
			})
		})
	}
}

// All specs of this package over a database of one's own.
func ExampleMain() {
	_ = func(t *testing.T) { // TestRecovery
		specs.Main(t, local.New(local.Options{})) // the target of the database
	}
}
