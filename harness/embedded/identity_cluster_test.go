package embedded_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// replace removes a node from the cluster and adds it again as a new member. The node must not run,
// and its directory must be empty.
func (c *cluster) replace(ctx context.Context, i int) {
	GinkgoHelper()
	through := c.nodes[c.but(i)[0]]
	Expect(through.RemoveMember(ctx, c.configs[i].ID)).To(Succeed())
	c.configs[i].Peers = nil // a new member is not a first member
	c.start(i)
	Expect(through.AddMember(ctx, embedded.Member{ID: c.configs[i].ID, Address: c.hosts[i].Addr()})).To(Succeed())
	Eventually(ctx, c.nodes[i].Health).Should(HaveField("State", embedded.Online))
	Expect(through.AddMember(ctx, embedded.Member{ID: c.configs[i].ID, Address: c.hosts[i].Addr(), Voter: true})).To(Succeed())
}

// otherwise replaces a node's directory with a copy of another one. The node must not run.
func (c *cluster) otherwise(i int, from string) {
	GinkgoHelper()
	Expect(os.RemoveAll(c.configs[i].Dir)).To(Succeed())
	Expect(os.CopyFS(c.configs[i].Dir, os.DirFS(from))).To(Succeed())
}

// untilLogged waits until the nodes have recorded that they have a log.
func (c *cluster) untilLogged(ctx context.Context, nodes ...int) {
	GinkgoHelper()
	for _, i := range nodes {
		Eventually(ctx, embedded.Logged).WithArguments(c.nodes[i]).Should(BeTrue(), "node %d has not stored that it has a log", i)
	}
}

// copied returns a copy of a node's directory. The node must not run.
func (c *cluster) copied(i int) string {
	GinkgoHelper()
	to := filepath.Join(GinkgoT().TempDir(), c.configs[i].ID)
	Expect(os.CopyFS(to, os.DirFS(c.configs[i].Dir))).To(Succeed())
	return to
}

// emptied closes a node and empties its directory.
func (c *cluster) emptied(i int) {
	GinkgoHelper()
	Expect(c.nodes[i].Close()).To(Succeed())
	Expect(os.RemoveAll(c.configs[i].Dir)).To(Succeed())
	Expect(os.Mkdir(c.configs[i].Dir, 0o700)).To(Succeed())
}

var _ = Describe("A first member", func() {
	It("does not found a cluster before all others have answered, and reports which it waits for", func(ctx SpecContext) {
		net := network.Memory(1)
		c := plan(net, 3)
		c.start(0)
		c.start(1)
		Eventually(ctx, c.nodes[0].Health).Should(HaveField("Reason",
			And(ContainSubstring("has not formed yet"), ContainSubstring("including n2"))))
		Consistently(ctx, c.nodes[0].Health, "300ms").Should(And(
			HaveField("State", embedded.Connecting), HaveField("Term", BeZero()), HaveField("Cluster", ""), HaveField("Vote", BeZero())))
		c.start(2)
		c.leader(ctx)
		c.session(1).works(ctx)
		for _, node := range c.nodes {
			Expect(node.Health().Cluster).To(And(Not(BeEmpty()), Equal(c.nodes[0].Health().Cluster)))
		}
	})

	It("learns from another member that the cluster was founded, with itself as a founder", func(ctx SpecContext) {
		net := network.Memory(1)
		c := plan(net, 3)
		Expect(net.Between("n1", "n2").Cut(fault.Refuse)).To(Succeed())
		c.startAll()
		Eventually(ctx, func(g Gomega) {
			for _, node := range c.nodes {
				g.Expect(node.Health().Cluster).To(And(Not(BeEmpty()), Equal(c.nodes[0].Health().Cluster)))
			}
		}).Should(Succeed())
		net.MendAll()
		c.leader(ctx)
		c.session(1).works(ctx)
	})

	It("does not found a cluster with a node that was started with different first members", func(ctx SpecContext) {
		c := plan(network.Memory(1), 2)
		c.configs[1].Peers = append(c.configs[1].Peers[:2:2], embedded.Peer{ID: "n2", Address: "10.0.0.99:1"})
		c.startAll()
		Eventually(ctx, c.nodes[0].Health).Should(HaveField("Reason",
			ContainSubstring("node n0 and node n1 were started with different first members")))
	})

	It("whose folder was emptied neither votes nor serves, reports the reason, and can return as a new member", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		others := c.but(leader)
		emptied, behind := others[0], others[1]
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		c.converge(ctx)
		Expect(c.nodes[behind].Stop(ctx)).To(Succeed())
		fill(ctx, c.session(leader), 0, 20)
		cluster := c.nodes[leader].Health().Cluster
		Expect(c.nodes[leader].Stop(ctx)).To(Succeed())
		c.emptied(emptied)

		By("starting it, and a node that lacks the rows, as first members")
		c.start(emptied)
		c.start(behind)
		Eventually(ctx, c.nodes[emptied].Health).Should(And(HaveField("State", embedded.Failed),
			HaveField("Reason", And(ContainSubstring("the directory of node "+c.configs[emptied].ID+" is empty"), ContainSubstring(cluster)))))
		Consistently(ctx, c.nodes[behind].Health, "500ms").Should(And(HaveField("LedTerms", BeEmpty()), HaveField("Role", Not(Equal("leader")))))
		refused := c.session(emptied).do(ctx, "local", "SELECT 1")
		Expect(refused.HTTP).To(Equal(503))
		Expect(refused.Error.Code).To(Equal(embedded.CodeWrongCluster))

		By("starting the node that has the rows")
		c.start(leader)
		c.leader(ctx, leader, behind)
		Expect(c.session(behind).count(ctx, "strong", "t")).To(Equal(20))
		Expect(c.nodes[emptied].Health()).To(And(HaveField("State", embedded.Failed), HaveField("Vote", BeZero())))

		By("replacing it while it runs")
		through := c.nodes[leader]
		member := embedded.Member{ID: c.configs[emptied].ID, Address: c.hosts[emptied].Addr()}
		Expect(through.RemoveMember(ctx, member.ID)).To(Succeed())
		Expect(through.AddMember(ctx, member)).To(Succeed())
		c.leader(ctx)
		c.converge(ctx)
		Expect(c.session(emptied).count(ctx, "local", "t")).To(Equal(20))
	})
})

var _ = Describe("A wrong directory", func() {
	It("is refused by a node with another ID, with both IDs in the error", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		other := c.but(leader)[0]
		cluster := c.nodes[other].Health().Cluster
		Expect(c.nodes[other].Close()).To(Succeed())
		c.configs[other].ID = "n9"
		c.configs[other].Peers = nil
		_, err := embedded.Start(c.configs[other])
		Expect(err).To(MatchError(And(ContainSubstring("belongs to node n"), ContainSubstring("of cluster "+cluster+", not to node n9"))))
		c.nodes[other] = nil
	})

	DescribeTable("is refused if a part of it is missing", func(ctx SpecContext, part, said string) {
		c := boot(3)
		victim := c.but(c.leader(ctx))[0]
		c.session(victim).works(ctx)
		c.untilLogged(ctx, victim)
		Expect(c.nodes[victim].Stop(ctx)).To(Succeed())
		Expect(os.RemoveAll(filepath.Join(c.configs[victim].Dir, part))).To(Succeed())
		_, err := embedded.Start(c.configs[victim])
		Expect(err).To(MatchError(And(ContainSubstring(said), ContainSubstring("add it again with an empty directory"))))
	},
		Entry("its log", "log", "has lost durable data"),
		Entry("its identity", "identity", "owner is missing"),
	)

	It("is refused if it has the log of another node", func(ctx SpecContext) {
		c := boot(3)
		c.leader(ctx)
		c.untilLogged(ctx, c.all()...)
		c.each(func(i int) { Expect(c.nodes[i].Stop(ctx)).To(Succeed()) })
		log := filepath.Join(c.configs[1].Dir, "log")
		Expect(os.RemoveAll(log)).To(Succeed())
		Expect(os.CopyFS(log, os.DirFS(filepath.Join(c.configs[2].Dir, "log")))).To(Succeed())
		_, err := embedded.Start(c.configs[1])
		Expect(err).To(MatchError(And(
			ContainSubstring("belongs to node n2 of cluster"), ContainSubstring("the directory to node n1 of cluster"))))
	})

	It("fails its node if it was rolled back, as soon as the node connects to another", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		victim, behind := c.but(leader)[0], c.but(leader)[1]
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		c.converge(ctx)
		Expect(c.nodes[victim].Stop(ctx)).To(Succeed())
		older := c.copied(victim)
		known := func() (string, error) { // the lives that the other node has recorded
			content, err := os.ReadFile(filepath.Join(c.configs[behind].Dir, "identity", "owner"))
			return string(content), err
		}
		before := must(known())
		c.start(victim)
		c.leader(ctx)
		Eventually(ctx, known).ShouldNot(Equal(before), "the node that was started again has not been met")
		Expect(c.nodes[behind].Stop(ctx)).To(Succeed())
		fill(ctx, c.session(leader), 0, 20)
		Expect(c.nodes[victim].Stop(ctx)).To(Succeed())
		Expect(c.nodes[leader].Stop(ctx)).To(Succeed())
		c.otherwise(victim, older)
		c.start(victim)
		c.start(behind)
		Eventually(ctx, c.nodes[victim].Health).Should(And(HaveField("State", embedded.Failed),
			HaveField("Reason", And(ContainSubstring("met node "+c.configs[victim].ID), ContainSubstring("rolled back to an older state")))))
		c.start(leader)
		c.leader(ctx, leader, behind)
		Expect(c.session(behind).count(ctx, "strong", "t")).To(Equal(20))
	})

	It("fails its node if it is a copy of a running node's directory", func(ctx SpecContext) {
		c := boot(3)
		victim := c.but(c.leader(ctx))[0]
		c.converge(ctx)
		Expect(c.nodes[victim].Stop(ctx)).To(Succeed())
		twin := c.copied(victim)
		c.start(victim)
		leader := c.leader(ctx)
		host := must(c.network.Host("twin"))
		config := c.configs[victim]
		config.Dir, config.Endpoint = twin, host
		n := must(embedded.Start(config))
		DeferCleanup(n.Close)
		Eventually(ctx, n.Health).Should(And(HaveField("State", embedded.Failed), HaveField("Reason", ContainSubstring("copied"))))
		Expect(c.leader(ctx)).To(Equal(leader))
		c.session(victim).works(ctx)
	})

	It("does not let its node serve if it is of another cluster, with both clusters in the error", func(ctx SpecContext) {
		dir := GinkgoT().TempDir()
		net := network.TCP()
		c := bootIn(dir, net, 3)
		c.leader(ctx)
		own := c.nodes[1].Health().Cluster
		c.session(1).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		fill(ctx, c.session(1), 0, 5)
		c.converge(ctx)
		c.each(func(i int) { Expect(c.nodes[i].Stop(ctx)).To(Succeed()) })
		precious := []string{c.copied(0), c.copied(1), c.copied(2)}

		By("running another cluster at the same addresses")
		c.each(func(i int) {
			Expect(os.RemoveAll(c.configs[i].Dir)).To(Succeed())
			Expect(os.Mkdir(c.configs[i].Dir, 0o700)).To(Succeed())
		})
		c.startAll()
		c.leader(ctx)
		other := c.nodes[1].Health().Cluster
		Expect(other).NotTo(Equal(own))
		c.session(1).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'of another')")
		c.converge(ctx)
		c.each(func(i int) { Expect(c.nodes[i].Stop(ctx)).To(Succeed()) })

		By("starting one of its nodes with two nodes of the first cluster")
		c.otherwise(0, precious[0])
		c.otherwise(2, precious[2])
		c.startAll()
		c.leader(ctx, 0, 2)
		Eventually(ctx, c.nodes[1].Health).Should(And(HaveField("State", embedded.Connecting),
			HaveField("Reason", And(ContainSubstring(own), ContainSubstring(other)))))
		for _, consistency := range []string{"local", "leader", "strong"} {
			refused := c.session(1).do(ctx, consistency, "SELECT count(*) FROM t")
			Expect(refused.HTTP).To(Equal(503))
			Expect(refused.Error.Code).To(Equal(embedded.CodeWrongCluster))
			Expect(refused.Error.Message).To(And(ContainSubstring(own), ContainSubstring(other)))
		}
		Expect(c.session(2).count(ctx, "strong", "t")).To(Equal(5))
	})

	It("may be a new one under an old ID, even for a member that was down during the replacement", func(ctx SpecContext) {
		c := boot(4)
		leader := c.leader(ctx)
		others := c.but(leader)
		replaced, away, third := others[0], others[1], others[2]
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		c.converge(ctx)
		Expect(c.nodes[away].Stop(ctx)).To(Succeed())
		c.emptied(replaced)
		through, member := c.nodes[leader], embedded.Member{ID: c.configs[replaced].ID, Address: c.hosts[replaced].Addr()}
		Eventually(ctx, func() error { return through.RemoveMember(ctx, member.ID) }).Should(Succeed())
		c.configs[replaced].Peers = nil
		c.start(replaced)
		Expect(through.AddMember(ctx, member)).To(Succeed())
		c.leader(ctx, leader, replaced, third)
		member.Voter = true
		Expect(c.nodes[c.leader(ctx, leader, replaced, third)].AddMember(ctx, member)).To(Succeed())

		By("starting that member after the leader that made the change has stopped")
		Expect(c.nodes[leader].Stop(ctx)).To(Succeed())
		c.start(away)
		c.leader(ctx, replaced, away, third)
		c.session(away).works(ctx)
		c.start(leader)
		c.leader(ctx)
		c.converge(ctx)
	})

	It("is rejected in forwarded requests if it is of another cluster", func(ctx SpecContext) {
		c := boot(1)
		c.leader(ctx)
		request := must(http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.hosts[0].Addr()+"/v1/api/cluster/read-index", nil))
		proof := hmac.New(sha256.New, nil)
		proof.Write([]byte("rejoin: a node forwards\x00n7"))
		request.Header.Set("Rejoin-Forwarded-By", "n7")
		request.Header.Set("Rejoin-Forwarder-Proof", hex.EncodeToString(proof.Sum(nil)))
		request.Header.Set("Rejoin-Cluster", "elsewhere")
		response := must(c.client().Do(request))
		defer response.Body.Close()
		Expect(response.StatusCode).To(Equal(http.StatusMisdirectedRequest))
		Expect(io.ReadAll(response.Body)).To(And(ContainSubstring("node n7 of cluster elsewhere"),
			ContainSubstring("node n0 of cluster "+c.nodes[0].Health().Cluster)))
	})
})

// plan returns a cluster whose nodes do not run yet.
func plan(net *network.Network, size int) *cluster {
	GinkgoHelper()
	return planIn(GinkgoT().TempDir(), net, size)
}

func bootIn(dir string, net *network.Network, size int) *cluster {
	GinkgoHelper()
	c := planIn(dir, net, size)
	c.startAll()
	return c
}
