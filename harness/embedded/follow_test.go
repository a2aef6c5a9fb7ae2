package embedded

import (
	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("A candidate", func() {
	It("has no leader, even while Raft names one", func(ctx SpecContext) {
		memory, nodes := three()
		var lost *Node
		Eventually(ctx, func() *Node {
			for _, n := range nodes {
				if h := n.Health(); h.State == Online && h.Role == "follower" {
					lost = n
				}
			}
			return lost
		}).ShouldNot(BeNil())
		leader := nodes[lost.Health().Leader]
		for name := range nodes {
			if name != lost.ID() {
				Expect(memory.Between(name, lost.ID()).Cut(network.Drop)).To(Succeed())
			}
		}
		Eventually(ctx, lost.Health).Should(HaveField("State", Connecting))

		// A heartbeat during an election that was called for by a message has Raft
		// name its sender, and leaves it a candidate: what otherwise takes a race.
		header := raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(leader.ID()), Addr: []byte(leader.Address())}
		self, address := raft.ServerID(lost.ID()), raft.ServerAddress(lost.Address())
		Eventually(ctx, func(g Gomega) {
			g.Expect(lost.transport.TimeoutNow(self, address, &raft.TimeoutNowRequest{RPCHeader: header}, &raft.TimeoutNowResponse{})).To(Succeed())
			beat := &raft.AppendEntriesRequest{RPCHeader: header, Term: lost.raft.CurrentTerm()}
			g.Expect(lost.transport.AppendEntries(self, address, beat, &raft.AppendEntriesResponse{})).To(Succeed())
			_, named := lost.raft.LeaderWithID()
			g.Expect(named).To(BeEquivalentTo(leader.ID()))
			g.Expect(lost.raft.State()).To(Equal(raft.Candidate))
		}).Should(Succeed())
		Consistently(ctx, func() string { return lost.Health().Leader }, "200ms", "1ms").Should(BeEmpty())
		_, named := lost.raft.LeaderWithID()
		Expect(named).To(BeEquivalentTo(leader.ID()), "Raft does not name a leader any more: this spec shows nothing")

		memory.MendAll()
		Eventually(ctx, lost.Health).Should(HaveField("State", Online))
	})
})
