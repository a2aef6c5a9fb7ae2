package embedded_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// cluster is a number of nodes on one network, and a host for clients whose links are never cut.
type cluster struct {
	network *network.Network
	clients *network.Host
	hosts   []*network.Host
	configs []embedded.Config
	nodes   []*embedded.Node
	dir     string
}

// tweak changes a node's configuration before it starts.
type tweak func(*embedded.Config)

// boot starts size nodes on loopback. They are closed after the spec.
func boot(size int, tweaks ...tweak) *cluster {
	GinkgoHelper()
	return bootOn(network.TCP(), size, tweaks...)
}

func bootOn(net *network.Network, size int, tweaks ...tweak) *cluster {
	GinkgoHelper()
	c := planIn(GinkgoT().TempDir(), net, size, tweaks...)
	c.startAll()
	return c
}

// planIn makes a cluster in dir whose nodes do not run yet. It is closed after the spec.
func planIn(dir string, net *network.Network, size int, tweaks ...tweak) *cluster {
	GinkgoHelper()
	c := &cluster{network: net, nodes: make([]*embedded.Node, size), dir: dir}
	DeferCleanup(func() { Expect(c.close()).To(Succeed()) })
	c.clients = must(net.Host("client"))
	var peers []embedded.Peer
	for i := range size {
		host := must(net.Host(fmt.Sprintf("n%d", i)))
		c.hosts = append(c.hosts, host)
		peers = append(peers, embedded.Peer{ID: host.Name(), Address: host.Addr()})
	}
	for i, host := range c.hosts {
		config := embedded.Config{ID: host.Name(), Dir: filepath.Join(c.dir, host.Name()), Endpoint: host, Peers: peers}
		for _, change := range tweaks {
			change(&config)
		}
		c.configs = append(c.configs, config)
		Expect(os.Mkdir(filepath.Join(c.dir, host.Name()), 0o700)).To(Succeed())
		DeferCleanup(func() { Expect(c.stray(i)).To(BeEmpty(), "files outside the node's folders") })
	}
	return c
}

// startAll starts all nodes concurrently, except the first, which starts last because it campaigns as
// soon as it runs.
func (c *cluster) startAll() {
	GinkgoHelper()
	c.each(func(i int) {
		if i > 0 {
			c.start(i)
		}
	})
	c.start(0)
}

func (c *cluster) start(i int) {
	GinkgoHelper()
	c.nodes[i] = must(embedded.Start(c.configs[i]))
}

// each calls f for all nodes concurrently.
func (c *cluster) each(f func(i int)) {
	var wg sync.WaitGroup
	for i := range c.hosts {
		wg.Go(func() {
			defer GinkgoRecover()
			f(i)
		})
	}
	wg.Wait()
}

func (c *cluster) close() error {
	c.each(func(i int) {
		if c.nodes[i] != nil {
			Expect(c.nodes[i].Close()).To(Succeed())
		}
	})
	return c.network.Close()
}

// stray lists unexpected files in a node's folder.
func (c *cluster) stray(i int) (found []string) {
	entries, err := os.ReadDir(c.configs[i].Dir)
	if err != nil {
		return []string{err.Error()}
	}
	for _, e := range entries {
		switch e.Name() {
		case "identity", "log", "snapshots", "state", disk.PromiseFile:
		default:
			found = append(found, e.Name())
		}
	}
	return found
}

// leader waits until the nodes are online and agree on a leader among them, and returns its index.
func (c *cluster) leader(ctx context.Context, among ...int) int {
	GinkgoHelper()
	if len(among) == 0 {
		among = c.all()
	}
	var found int
	Eventually(ctx, func(g Gomega) {
		first := c.nodes[among[0]].Health()
		for _, i := range among {
			health := c.nodes[i].Health()
			g.Expect(health.State).To(Equal(embedded.Online), health.ID)
			g.Expect(health.Leader).To(Equal(first.Leader), health.ID)
			g.Expect(health.Term).To(Equal(first.Term), health.ID)
		}
		found = -1
		for _, i := range among {
			if c.configs[i].ID == first.Leader {
				g.Expect(c.nodes[i].Health().Role).To(Equal("leader"))
				found = i
			}
		}
		g.Expect(found).To(BeNumerically(">=", 0), "the leader %q is not among the nodes in reach", first.Leader)
	}).Should(Succeed())
	return found
}

func (c *cluster) all() []int { return c.but(-1) }

// but returns the indices of all nodes except one.
func (c *cluster) but(not int) (others []int) {
	for i := range c.hosts {
		if i != not {
			others = append(others, i)
		}
	}
	return others
}

// isolate drops all traffic between a node and the other nodes; clients still reach it.
func (c *cluster) isolate(i int) {
	GinkgoHelper()
	c.cut(i, fault.Drop)
}

// cut cuts a node's links to the other nodes, both ways.
func (c *cluster) cut(i int, mode fault.Action) {
	GinkgoHelper()
	for _, other := range c.but(i) {
		Expect(c.network.Between(c.hosts[i].Name(), c.hosts[other].Name()).Cut(mode)).To(Succeed())
	}
}

func (c *cluster) mend(i int) {
	GinkgoHelper()
	for _, other := range c.but(i) {
		Expect(c.network.Between(c.hosts[i].Name(), c.hosts[other].Name()).Mend()).To(Succeed())
	}
}

// converge waits until all nodes have the same digest.
func (c *cluster) converge(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		_, first, err := c.nodes[0].Digest(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		for _, node := range c.nodes[1:] {
			_, sum, err := node.Digest(ctx)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(sum).To(Equal(first), "%s holds something else than %s", node.ID(), c.nodes[0].ID())
		}
	}).Should(Succeed())
}

func must[V any](value V, err error) V {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	return value
}

// moment is the tolerance for a machine under load, on top of a promised time.
const moment = time.Second
