package embedded_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

// replace takes a node that does not run, and whose directory is empty, out of the cluster
// and in again.
func (c *cluster) replace(ctx context.Context, i int) {
	GinkgoHelper()
	through := c.nodes[c.but(i)[0]]
	Expect(through.RemoveMember(ctx, c.configs[i].ID)).To(Succeed())
	c.configs[i].Peers = nil // it is no first member any more
	c.start(i)
	Expect(through.AddMember(ctx, embedded.Member{ID: c.configs[i].ID, Address: c.hosts[i].Addr()})).To(Succeed())
	Eventually(ctx, c.nodes[i].Health).Should(HaveField("State", embedded.Online))
	Expect(through.AddMember(ctx, embedded.Member{ID: c.configs[i].ID, Address: c.hosts[i].Addr(), Voter: true})).To(Succeed())
}
