package embedded

import (
	"io"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("A node whose storage has failed", func() {
	It("says so, and changes nothing", func() {
		n := alone(GinkgoTB())
		Expect(post(n, []byte(`{"sql":"CREATE TABLE t (v)"}`)).Code).To(Equal(http.StatusOK))
		Expect(n.storage.machine.Restore(io.NopCloser(strings.NewReader("garbage")))).NotTo(Succeed())
		health := n.Health()
		Expect(health.State).To(Equal(Failed))
		Expect(health.Reason).To(ContainSubstring("must be replaced"))

		read := post(n, []byte(`{"sql":"SELECT 1"}`))
		Expect(read.Code).To(Equal(http.StatusServiceUnavailable))
		Expect(read.Header().Get(headerCode)).To(Equal(CodeFailed))

		write := post(n, []byte(`{"sql":"INSERT INTO t VALUES (1)"}`))
		Expect(write.Code).To(Equal(http.StatusServiceUnavailable))
		Expect(write.Header().Get(headerCode)).To(Equal(CodeFailed))
		Expect(write.Header().Get(headerOutcome)).To(BeEmpty())
	})

	It("does not lead any longer than it takes to find another", func(ctx SpecContext) {
		_, nodes := three()
		var leader *Node
		Eventually(ctx, func() *Node {
			leader = nodes[nodes["n0"].Health().Leader]
			return leader
		}).ShouldNot(BeNil())
		Eventually(ctx, leader.Health).Should(HaveField("State", Online))
		Expect(leader.storage.machine.Restore(io.NopCloser(strings.NewReader("garbage")))).NotTo(Succeed())

		other := nodes["n0"]
		if other == leader {
			other = nodes["n1"]
		}
		Eventually(ctx, func(g Gomega) {
			health := other.Health()
			g.Expect(health.State).To(Equal(Online))
			g.Expect(health.Leader).NotTo(Or(BeEmpty(), Equal(leader.ID())))
		}).Should(Succeed())
		Expect(post(other, []byte(`{"sql":"CREATE TABLE t (v)"}`)).Code).To(Equal(http.StatusOK))
		Expect(leader.Health().State).To(Equal(Failed))
	})
})

// three starts a cluster in memory.
func three() (*network.Network, map[string]*Node) {
	GinkgoHelper()
	memory := network.Memory(1)
	DeferCleanup(memory.Close)
	var peers []Peer
	var hosts []*network.Host
	for _, name := range []string{"n0", "n1", "n2"} {
		host, err := memory.Host(name)
		Expect(err).NotTo(HaveOccurred())
		hosts = append(hosts, host)
		peers = append(peers, Peer{ID: name, Address: host.Addr()})
	}
	nodes := make(map[string]*Node)
	for _, host := range hosts {
		n, err := Start(Config{ID: host.Name(), Dir: GinkgoT().TempDir(), Endpoint: host, Peers: peers})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(n.Close)
		nodes[n.ID()] = n
	}
	return memory, nodes
}
