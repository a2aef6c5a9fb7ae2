package embedded_test

import (
	"context"
	"net/http"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/durable"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// onBothDisks declares specs for nodes on real files and in memory.
func onBothDisks(text string, specs func(on tweak)) bool {
	return Describe(text, func() {
		Context("on real files", func() {
			specs(func(c *embedded.Config) { c.Disk = disk.Files(c.Dir) })
		})
		Context("in memory", func() {
			specs(func(c *embedded.Config) { c.Disk = disk.Memory() })
		})
	})
}

// failed waits until the node reports itself as failed, and expects its reason to contain why.
func (c *cluster) failed(ctx context.Context, i int, why ...any) {
	GinkgoHelper()
	Eventually(ctx, c.nodes[i].Health).Should(HaveField("State", embedded.Failed))
	for _, text := range why {
		Expect(c.nodes[i].Health().Reason).To(ContainSubstring(text.(string)))
	}
	a := c.session(i).do(ctx, "local", "SELECT 1")
	Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable))
	Expect(a.Error.Code).To(Equal(embedded.CodeFailed))
	a = c.session(i).do(ctx, "", "CREATE TABLE never (v)")
	Expect(a.Error.Code).To(Equal(embedded.CodeFailed))
	Expect(a.Error.Outcome).To(BeEmpty())
}

// restart crashes a node, and starts it again on its synced data, without disk faults.
func (c *cluster) restart(i int) {
	GinkgoHelper()
	c.crash(i)
	c.configs[i].Disk.Set(fault.Disk{})
	c.start(i)
}

func (c *cluster) crash(i int) {
	GinkgoHelper()
	c.configs[i].Disk.Crash()
	Expect(c.nodes[i].Close()).To(Succeed())
}

// lastIndex returns the last index of a node's log. The node must not run.
func (c *cluster) lastIndex(i int) uint64 {
	GinkgoHelper()
	fs := must(c.configs[i].Disk.Open())
	log := must(durable.Open(fs, hclog.NewNullLogger(), func(error) {})).Log
	last := must(log.LastIndex())
	Expect(log.Close()).To(Succeed())
	Expect(fs.Close()).To(Succeed())
	return last
}

var _ = onBothDisks("A node with a disk fault,", func(on tweak) {
	// unhurried is an election timeout that a busy machine does not exceed on its own: an
	// unexpected election would write to the disk first.
	const unhurried = 300 * time.Millisecond

	// three boots a cluster in which every node has applied a table, and returns the leader and a
	// follower.
	three := func(ctx context.Context, tweaks ...tweak) (c *cluster, leader, follower int) {
		GinkgoHelper()
		c = boot(3, append([]tweak{on, electionTimeout(unhurried)}, tweaks...)...)
		leader = c.leader(ctx)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		c.converge(ctx) // otherwise the disk fault could hit the CREATE TABLE instead of the operation under test
		c.untilLogged(ctx, c.all()...)
		return c, leader, c.but(leader)[0]
	}

	for _, fault := range []struct {
		name   string
		faults fault.Disk
		errno  syscall.Errno
	}{
		{"failing", fault.Disk{Failing: true}, syscall.EIO},
		{"full", fault.Disk{Full: true}, syscall.ENOSPC},
	} {
		When("the disk is "+fault.name, func() {
			It("fails as a follower at the next entry, and the others continue", func(ctx SpecContext) {
				c, leader, follower := three(ctx)
				c.configs[follower].Disk.Set(fault.faults)
				fill(ctx, c.session(leader), 0, 5)
				c.failed(ctx, follower, ".wal", fault.errno.Error())
				fill(ctx, c.session(leader), 5, 10)
				c.restart(follower)
				c.leader(ctx)
				c.converge(ctx)
				Expect(c.session(follower).count(ctx, "local", "t")).To(Equal(10))
			})

			It("fails as the leader, and the others elect another", func(ctx SpecContext) {
				c, leader, follower := three(ctx)
				c.configs[leader].Disk.Set(fault.faults)
				// The request is retried at the next leader.
				fill(ctx, c.session(follower), 0, 5)
				c.failed(ctx, leader, ".wal", fault.errno.Error())
				Expect(c.leader(ctx, c.but(leader)...)).NotTo(Equal(leader))
				c.restart(leader)
				c.leader(ctx)
				c.converge(ctx)
				Expect(c.session(leader).count(ctx, "local", "t")).To(Equal(5))
			})

			It("fails as the leader and reports an unknown outcome to its own client", func(ctx SpecContext) {
				c, leader, _ := three(ctx)
				c.configs[leader].Disk.Set(fault.faults)
				a := c.session(leader).do(ctx, "", "INSERT INTO t DEFAULT VALUES")
				Expect(a.Error.Code).To(Equal(embedded.CodeFailed))
				Expect(a.Error.Outcome).To(Equal(embedded.OutcomeUnknown))
			})

			It("fails when it has to vote, and its vote does not count", func(ctx SpecContext) {
				c, leader, follower := three(ctx)
				other := c.but(leader)[1]
				c.configs[follower].Disk.Set(fault.faults)
				led := c.nodes[other].Health().LedTerms
				Expect(c.nodes[leader].Close()).To(Succeed())
				c.failed(ctx, follower, fault.errno.Error())
				Expect(c.nodes[follower].Health().Reason).To(Or(ContainSubstring("log/.meta"), ContainSubstring("identity/.owner")),
					"its vote, or that it met the other one in a new life")
				Consistently(ctx, c.nodes[other].Health).WithTimeout(3 * unhurried).Should(HaveField("LedTerms", Equal(led)))
				c.start(leader)
				c.leader(ctx, leader, other)
			})

			It("fails when it takes a snapshot, and restarts without it", func(ctx SpecContext) {
				c, leader, _ := three(ctx)
				c.configs[leader].Disk.Set(fault.faults)
				Expect(c.nodes[leader].Snapshot(ctx)).NotTo(Succeed())
				c.failed(ctx, leader, "snapshots/", fault.errno.Error())
				c.leader(ctx, c.but(leader)...)
				c.restart(leader)
				c.leader(ctx)
				c.converge(ctx)
			})

			It("fails when it receives a snapshot", func(ctx SpecContext) {
				c, leader, follower := three(ctx, snapshots(1<<20, -1))
				c.isolate(follower)
				fill(ctx, c.session(leader), 0, 20)
				Expect(c.nodes[leader].Snapshot(ctx)).To(Succeed())
				c.configs[follower].Disk.Set(fault.faults)
				c.mend(follower)
				c.failed(ctx, follower, fault.errno.Error())
				c.restart(follower)
				c.leader(ctx)
				c.converge(ctx)
				Expect(c.session(follower).count(ctx, "local", "t")).To(Equal(20))
			})

			It("does not start", func(ctx SpecContext) {
				c, _, follower := three(ctx)
				Expect(c.nodes[follower].Close()).To(Succeed())
				c.configs[follower].Disk.Set(fault.faults)
				Expect(c.configs[follower].Disk.Wipe()).To(Succeed())
				_, err := embedded.Start(c.configs[follower])
				Expect(err).To(MatchError(And(ContainSubstring("start node "+c.configs[follower].ID),
					ContainSubstring("identity/"), ContainSubstring(fault.errno.Error()))))
			})

			It("fails as the only node of its cluster, and can be closed", func(ctx SpecContext) {
				c := boot(1, on)
				c.session(0).works(ctx)
				c.untilLogged(ctx, 0)
				c.configs[0].Disk.Set(fault.faults)
				a := c.session(0).do(ctx, "", "INSERT INTO works DEFAULT VALUES")
				Expect(a.Error.Code).To(Equal(embedded.CodeFailed))
				c.failed(ctx, 0, ".wal")
				Expect(c.nodes[0].Close()).To(Succeed())
			})
		})
	}

	When("a byte on the disk has flipped", func() {
		It("does not start on a damaged log, but does once it is replaced", func(ctx SpecContext) {
			c, leader, follower := three(ctx)
			fill(ctx, c.session(leader), 0, 20)
			c.converge(ctx)
			Expect(c.nodes[follower].Close()).To(Succeed())
			file := must(c.configs[follower].Disk.Damage(fault.Log))
			_, err := embedded.Start(c.configs[follower])
			Expect(err).To(MatchError(And(ContainSubstring("start node "+c.configs[follower].ID), ContainSubstring(file+" is damaged"))))
			Expect(c.configs[follower].Disk.Wipe()).To(Succeed())
			c.replace(ctx, follower)
			c.leader(ctx)
			c.converge(ctx)
		})

		It("does not start on a damaged snapshot, even with an older one", func(ctx SpecContext) {
			c, leader, _ := three(ctx, snapshots(1<<20, -1))
			for i := range 2 {
				fill(ctx, c.session(leader), 10*i, 10*i+10)
				Expect(c.nodes[leader].Snapshot(ctx)).To(Succeed())
			}
			Expect(c.nodes[leader].Close()).To(Succeed())
			file := must(c.configs[leader].Disk.Damage(fault.Snapshot))
			_, err := embedded.Start(c.configs[leader])
			Expect(err).To(MatchError(And(ContainSubstring("start node "+c.configs[leader].ID), ContainSubstring(file+" is damaged"))))
			must(c.configs[leader].Disk.Damage(fault.Snapshot)) // flips the byte back
			c.start(leader)
			c.leader(ctx)
			c.converge(ctx)
		})

		It("fails when it applies the damaged entry", func(ctx SpecContext) {
			c, leader, follower := three(ctx)
			fill(ctx, c.session(leader), 0, 20)
			c.converge(ctx)
			c.isolate(follower)
			c.crash(follower)
			c.start(follower)
			file := must(c.configs[follower].Disk.Damage(fault.Log))
			c.mend(follower)
			c.failed(ctx, follower, file+" is damaged", "entry")
			fill(ctx, c.session(leader), 20, 25)
		})

		It("fails when it reads the damaged entry for a follower, and the others continue", func(ctx SpecContext) {
			c, leader, behind := three(ctx)
			c.isolate(behind)
			fill(ctx, c.session(leader), 0, 50)
			up := c.but(behind)
			for _, i := range up {
				Eventually(ctx, func() uint64 { return c.nodes[i].Health().AppliedIndex }).Should(Equal(c.nodes[leader].Health().AppliedIndex))
			}
			for _, i := range up {
				c.crash(i) // drops its cache
			}
			for _, i := range up {
				c.start(i)
			}
			leader = c.leader(ctx, up...)
			file := must(c.configs[leader].Disk.Damage(fault.Log))
			c.mend(behind)
			c.failed(ctx, leader, file+" is damaged")
			next := c.leader(ctx, c.but(leader)...)
			fill(ctx, c.session(next), 50, 55)
			Expect(c.session(behind).count(ctx, "strong", "t")).To(Equal(55))
		})

		It("fails when it sends the damaged snapshot to a follower, which rejects it", func(ctx SpecContext) {
			c, leader, behind := three(ctx, snapshots(1<<20, -1))
			c.isolate(behind)
			fill(ctx, c.session(leader), 0, 50)
			Expect(c.nodes[leader].Snapshot(ctx)).To(Succeed())
			file := must(c.configs[leader].Disk.Damage(fault.Snapshot))
			c.mend(behind)
			c.failed(ctx, leader, file+" is damaged")
			c.leader(ctx, c.but(leader)...)
			Expect(c.session(behind).count(ctx, "strong", "t")).To(Equal(50))
		})
	})

	When("the disk lies about syncs", func() {
		It("loses confirmed entries in a crash, and gets them again from the others", func(ctx SpecContext) {
			c, leader, follower := three(ctx)
			had := c.nodes[follower].Health().AppliedIndex
			c.configs[follower].Disk.Set(fault.Disk{Lying: true})
			fill(ctx, c.session(leader), 0, 20)
			Eventually(ctx, func() int { return c.session(follower).count(ctx, "local", "t") }).Should(Equal(20))
			c.crash(follower)
			c.configs[follower].Disk.Set(fault.Disk{})
			Expect(c.lastIndex(follower)).To(BeNumerically("<=", had+1), "nothing was lost")
			c.start(follower)
			c.leader(ctx)
			c.converge(ctx)
			Expect(c.session(follower).count(ctx, "local", "t")).To(Equal(20))
		})
	})

	When("an append is torn", func() {
		It("drops the append after the crash, and gets it again from the others", func(ctx SpecContext) {
			c, leader, follower := three(ctx)
			c.configs[follower].Disk.Set(fault.Disk{Torn: true})
			fill(ctx, c.session(leader), 0, 5)
			Eventually(ctx, c.configs[follower].Disk.Faults).Should(BeZero())
			c.restart(follower)
			c.leader(ctx)
			c.converge(ctx)
			Expect(c.session(follower).count(ctx, "local", "t")).To(Equal(5))
		})

		It("can be closed", func(ctx SpecContext) {
			c, leader, follower := three(ctx)
			c.configs[follower].Disk.Set(fault.Disk{Torn: true})
			fill(ctx, c.session(leader), 0, 1)
			Eventually(ctx, c.configs[follower].Disk.Faults).Should(BeZero())
			Expect(c.nodes[follower].Close()).To(Succeed())
		})
	})

	When("the disk is slow", func() {
		It("does not delay the others or its own shutdown", func(ctx SpecContext) {
			c, leader, follower := three(ctx)
			c.configs[follower].Disk.Set(fault.Disk{Slow: time.Hour})
			fill(ctx, c.session(leader), 0, 5)
			Expect(c.nodes[follower].Health().State).NotTo(Equal(embedded.Failed))
			c.restart(follower)
			c.leader(ctx)
			c.converge(ctx)
		})
	})

	It("restarts on its synced data after all nodes have crashed at once", func(ctx SpecContext) {
		c, leader, _ := three(ctx)
		fill(ctx, c.session(leader), 0, 20)
		c.each(func(i int) { c.configs[i].Disk.Crash() })
		c.each(func(i int) { Expect(c.nodes[i].Close()).To(Succeed()) })
		c.startAll()
		leader = c.leader(ctx)
		Expect(c.session(leader).count(ctx, "strong", "t")).To(Equal(20))
		c.converge(ctx)
	})
})
