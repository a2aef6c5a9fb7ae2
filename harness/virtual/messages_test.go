package virtual_test

import (
	"context"
	"testing"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

// The messages of a cluster tell of heartbeats that are answered, and of those to an isolated node that are not.
func TestMessages(t *testing.T) {
	g := NewWithT(t)
	err := virtual.Run(t.Context(), func(ctx context.Context) {
		cluster, err := harness.Boot(ctx, virtual.New(virtual.Options{}), harness.Seed(3))
		g.Expect(err).NotTo(HaveOccurred())
		leader, err := cluster.Leader(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		away := (leader + 1) % cluster.Size()
		g.Expect(cluster.TakeNodeOffline(ctx, away)).To(Succeed())
		g.Expect(cluster.ExecuteOnRandom(ctx, "CREATE TABLE t (id INTEGER)")).Error().NotTo(HaveOccurred())
		g.Expect(cluster.Close()).To(Succeed())
		answered, lost := 0, 0
		for _, e := range cluster.Messages() {
			g.Expect(e.Validate()).To(Succeed())
			g.Expect(e.Kind).To(Equal(journal.Message))
			g.Expect(e.To.Node).NotTo(Equal(e.Node))
			switch {
			case e.Err == "" && e.Node == leader:
				answered++
			case e.Err != "" && e.To.Node == away:
				lost++
			}
		}
		g.Expect(answered).To(BeNumerically(">", 3))
		g.Expect(lost).To(BeNumerically(">", 0))
		g.Expect(len(cluster.Messages())).To(BeNumerically("<=", 600))
	})
	g.Expect(err).NotTo(HaveOccurred())
}
