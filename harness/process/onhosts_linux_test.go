package process_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/process"
	"github.com/rejoin-db/rejoin/harness/target"
)

// bootOnHosts is boot, with nodes on hosts.
func bootOnHosts(ctx context.Context, size int) *fixture {
	GinkgoHelper()
	o := options()
	nothingIsLeft(&o)
	b := &booted{Target: process.OnHosts(o)}
	c, err := harness.Boot(ctx, b, harness.Size(size))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return &fixture{c, b.last.(*process.Cluster)}
}

func sizeOf(path string) int64 {
	GinkgoHelper()
	info, err := os.Stat(path)
	Expect(err).NotTo(HaveOccurred())
	return info.Size()
}

var _ = Describe("A cluster on hosts", Ordered, ContinueOnFailure, func() {
	BeforeAll(func() {
		if err := hosts.Supported(); err != nil {
			Skip(err.Error())
		}
	})

	It("has a name and a network of its own, in which each node keeps its address", func(ctx SpecContext) {
		c := bootOnHosts(ctx, 3)
		Expect(c.target.Name()).To(Equal("hosts"))
		addresses := make(map[string]bool)
		for i := range 3 {
			addresses[c.status(ctx, i).Address] = true
			_, err := c.node(i).Address(ctx)
			Expect(err).To(MatchError(harness.ErrNoSocket))
			Expect(c.node(i).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
		}
		Expect(addresses).To(HaveLen(3))
		Expect(c.target.Crash(ctx, 1)).To(Succeed())
		listener, err := c.target.Listen(1)
		Expect(err).NotTo(HaveOccurred())
		Expect(addresses).To(HaveKey(listener.Addr().String()))
		Expect(listener.Close()).To(Succeed())
		Expect(c.target.Start(ctx, 1)).To(Succeed())
		Expect(addresses).To(HaveKey(c.status(ctx, 1).Address))
	}, patience)

	It("isolates a node by dropping packets of nodes and refusing those of clients", func(ctx SpecContext) {
		c := bootOnHosts(ctx, 3)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		away := (c.leader(ctx) + 1) % 3
		Expect(c.target.Isolate(ctx, away)).To(Succeed())
		for _, other := range c.but(away) {
			Expect(c.target.Link(ctx, other.Index(), away)).To(HaveField("Rule.Action", fault.Drop))
		}
		Expect(c.target.Link(ctx, fault.Clients, away)).To(HaveField("Rule.Action", fault.Refuse))
		_, err := c.node(away).Execute(ctx, "SELECT 1")
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		Eventually(ctx, c.node(away).Status).Should(HaveField("State", target.Connecting))
		Eventually(ctx, func() error {
			_, err := c.but(away)[0].Execute(ctx, "INSERT INTO t VALUES ('without it')")
			return err
		}).Should(Succeed())
		Expect(c.node(away).Inside().Reading(target.Local).Execute(ctx, "SELECT count(*) FROM t")).To(HaveRows(Row(0)))
		Expect(c.target.Rejoin(ctx, away)).To(Succeed())
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	}, patience)

	It("takes rules that only packets can have, and tells the nodes none", func(ctx SpecContext) {
		c := bootOnHosts(ctx, 3)
		rule := fault.Rule{Duplicate: 0.5, Reorder: 0.5}
		for i := range 3 {
			Expect(c.target.SetLink(ctx, i, (i+1)%3, rule)).To(Succeed())
			Expect(c.target.SetLink(ctx, (i+1)%3, i, rule)).To(Succeed())
		}
		Expect(c.target.Link(ctx, 0, 1)).To(HaveField("Rule", rule))
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		Eventually(ctx, func(g Gomega) {
			var all fault.LinkStats
			for i := range 3 {
				there, err := c.target.LinkStats(ctx, i, (i+1)%3)
				g.Expect(err).NotTo(HaveOccurred())
				all = all.Plus(there)
			}
			g.Expect(all.Duplicates).To(BeNumerically(">", 0))
			g.Expect(all.Reordered).To(BeNumerically(">", 0))
		}).Should(Succeed())
	}, patience)

	It("freezes a node with all its threads, kills one that is frozen, and adds, removes and replaces", func(ctx SpecContext) {
		c := bootOnHosts(ctx, 3)
		pid := c.target.Pid(1)
		Expect(c.target.Pause(ctx, 1)).To(Succeed())
		Expect(state(pid)).To(Equal("T"))
		Expect(c.target.Resume(ctx, 1)).To(Succeed())
		Expect(state(pid)).NotTo(Equal("T"))
		Expect(c.target.Pause(ctx, 1)).To(Succeed())
		Expect(c.target.Crash(ctx, 1)).To(Succeed())
		Expect(state(pid)).To(BeEmpty())
		Expect(c.target.Replace(ctx, 1)).To(Succeed())
		_, err := c.target.Add(ctx, true)
		Expect(err).NotTo(HaveOccurred())
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		Expect(c.target.Stop(ctx, 3)).To(Succeed())
		Expect(c.target.Remove(ctx, 3)).To(Succeed())
		Expect(c.target.Close()).To(Succeed())
		Expect(children(os.Getpid())).To(BeEmpty())
	}, patience)

	It("has disks below the nodes: one that hangs does not keep a node from stopping, and one that lies loses what it did not store",
		func(ctx SpecContext) {
			c := bootOnHosts(ctx, 3)
			c.run(ctx, "CREATE TABLE t (v TEXT)")
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
			away := (c.leader(ctx) + 1) % 3
			Expect(c.target.SetDisk(ctx, away, fault.Disk{Slow: time.Hour})).To(Succeed())
			Expect(c.target.Disk(ctx, away)).To(Equal(fault.Disk{Slow: time.Hour}))
			other, err := c.Node((away + 1) % 3) // one whose own disk does not hang
			Expect(err).NotTo(HaveOccurred())
			Expect(other.ExecuteWithRetry(ctx, "INSERT INTO t VALUES ('while it hangs')")).Error().NotTo(HaveOccurred())
			awaitHangingSync(ctx, c.target.Pid(away), "the disk does not hang")
			soon, cancel := context.WithTimeout(ctx, 10*time.Second)
			defer cancel()
			Expect(c.target.Stop(soon, away)).To(Succeed())
			Expect(c.target.SetDisk(ctx, away, fault.Disk{})).To(Succeed())
			Expect(c.target.Start(ctx, away)).To(Succeed())

			database := filepath.Join(c.target.DirOf(away), "state", "state.db") // which the node never syncs
			Expect(c.target.Crash(ctx, away)).To(Succeed())
			Expect(sizeOf(database)).To(BeNumerically(">", 0))
			Expect(c.target.Start(ctx, away)).To(Succeed())
			Expect(c.target.SetDisk(ctx, away, fault.Disk{Lying: true})).To(Succeed())
			Expect(c.target.Crash(ctx, away)).To(Succeed())
			Expect(sizeOf(database)).To(BeZero())
			Expect(c.target.SetDisk(ctx, away, fault.Disk{})).To(Succeed())
			Expect(c.target.Start(ctx, away)).To(Succeed())
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		}, patience)

	It("tells that a node has left processes behind", func(ctx SpecContext) {
		o := options()
		nothingIsLeft(&o)
		leaving := filepath.Join(GinkgoT().TempDir(), "leaving")
		Expect(os.WriteFile(leaving, []byte("#!/bin/sh\nsleep 300 3>&- </dev/null >/dev/null 2>&1 &\nexec "+binary+"\n"), 0o700)).To(Succeed())
		o.Binary = func() string { return leaving }
		c, err := process.OnHosts(o).Boot(ctx, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(c.(target.Starter).Stop(ctx, 0)).To(Succeed())
		Expect(c.Close()).To(MatchError("node n0 has left processes behind: sleep"))
	}, patience)

	It("tells why a program ended", func(ctx SpecContext) {
		c := bootOnHosts(ctx, 1)
		Expect(syscall.Kill(c.target.Pid(0), syscall.SIGABRT)).To(Succeed())
		Eventually(ctx, func() (target.Status, error) { return c.target.Nodes()[0].Status(ctx) }).WithTimeout(10 * time.Second).Should(And(
			HaveField("State", target.Offline),
			HaveField("Reason", And(HavePrefix("its process ended: exit code 2; its log ends:\n"), ContainSubstring("goroutine")))))
	}, patience)
})
