package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("Founding a cluster", func() {
	const seeds = 20
	for seed := range uint64(seeds) {
		It(fmt.Sprintf("results in one cluster of all members, whenever they crash meanwhile (seed %d)", seed), func(ctx SpecContext) {
			chance := rand.New(rand.NewPCG(seed, seed))
			c := plan(network.Memory(seed), 3)
			for i := range c.configs {
				c.configs[i].Disk = disk.Memory(disk.SyncTakes(time.Duration(chance.IntN(300)) * time.Microsecond))
			}
			c.startAll()
			for range 4 {
				pause := time.NewTimer(time.Duration(chance.IntN(6000)) * time.Microsecond)
				Eventually(ctx, pause.C).WithPolling(100 * time.Microsecond).Should(Receive())
				restarted := chance.IntN(len(c.nodes))
				if c.anyLogged(c.but(restarted)) {
					c.configs[restarted].Peers = nil // the others have a log
				}
				c.restart(restarted)
			}
			c.leader(ctx)
			c.session(chance.IntN(len(c.nodes))).works(ctx)
			c.converge(ctx)
			for _, node := range c.nodes {
				Expect(node.Health().Cluster).To(And(Not(BeEmpty()), Equal(c.nodes[0].Health().Cluster)))
				Eventually(ctx, node.Health).Should(HaveField("State", embedded.Online), "an election may be under way on a busy machine")
			}
		})
	}
})

// anyLogged reports whether one of the nodes has a log.
func (c *cluster) anyLogged(among []int) bool {
	for _, i := range among {
		if c.nodes[i].Health().LogEntries > 0 {
			return true
		}
	}
	return false
}
