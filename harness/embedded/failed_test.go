package embedded

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("A node whose storage has failed", func() {
	It("reports it, and refuses reads and writes", func() {
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

	It("fails and stops sending before Raft continues, when a received snapshot cannot be restored", func() {
		n := alone(GinkgoTB())
		m := failStopMachine{n.storage.machine, n.storage.failStop, &n.raftStarted}
		Expect(n.raftStarted.Load()).To(BeTrue())
		Expect(m.Restore(io.NopCloser(strings.NewReader("garbage")))).To(Succeed())
		Expect(n.Health().State).To(Equal(Failed))
		Expect(n.Health().Reason).To(ContainSubstring("restore snapshot"))
		Expect(n.storage.failStop.stopped()).To(HaveOccurred(), "it is not silent")
	})

	It("is replaced as leader", func(ctx SpecContext) {
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

var _ = Describe("A node whose store has failed", func() {
	It("neither sends to the others nor receives from them", func(ctx SpecContext) {
		_, nodes := three()
		var follower *Node
		Eventually(ctx, func() *Node {
			for _, n := range nodes {
				if n.Health().State == Online && n.Health().Role == "follower" {
					follower = n
				}
			}
			return follower
		}).ShouldNot(BeNil())
		leader := nodes[follower.Health().Leader]
		follower.storage.failStop.fail(errors.New("a byte has flipped"))
		_, err := follower.stream.Dial(raft.ServerAddress(leader.Address()), time.Second)
		Expect(err).To(MatchError(errSilenced))
		Eventually(ctx, func() int { return len(follower.stream.connections()) }).Should(BeZero())
		heard := follower.raft.LastContact()
		Consistently(ctx, follower.raft.LastContact, "200ms").Should(Equal(heard))
		Expect(follower.Health()).To(And(HaveField("State", Failed), HaveField("Reason", ContainSubstring("a byte has flipped"))))
		Expect(post(leader, []byte(`{"sql":"CREATE TABLE t (v)"}`)).Code).To(Equal(http.StatusOK))
	})

	It("sends nothing when its disk is lost, but does not report itself as failed", func() {
		n := alone(GinkgoTB())
		n.storage.failStop.fail(fmt.Errorf("append: %w", disk.ErrLost))
		Expect(n.Health().State).NotTo(Equal(Failed))
		Expect(n.stream.silenced.Load()).To(BeTrue())
	})
})

// three starts three nodes on an in-memory network.
func three(changes ...func(*Config)) (*network.Network, map[string]*Node) {
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
		config := Config{ID: host.Name(), Dir: GinkgoT().TempDir(), Endpoint: host, Peers: peers}
		for _, change := range changes {
			change(&config)
		}
		n, err := Start(config)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(n.Close)
		nodes[n.ID()] = n
	}
	return memory, nodes
}
