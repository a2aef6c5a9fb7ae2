package process_test

import (
	"context"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Pause", func() {
	It("freezes the leader; the others continue, and it catches up after Resume", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		leader := c.leader(ctx)
		pid := c.target.Pid(leader)
		Expect(c.target.Pause(ctx, leader)).To(Succeed())
		Expect(state(pid)).To(Equal("T"))
		Expect(c.target.Pause(ctx, leader)).To(Succeed(), "it is already paused")

		By("failing immediately for requests inside")
		Expect(c.status(ctx, leader)).To(And(HaveField("State", target.Offline), HaveField("Reason", "paused")))
		_, err := c.node(leader).Inside().Execute(ctx, "SELECT 1")
		Expect(err).To(MatchError(ContainSubstring("is offline: paused")))

		By("leaving its sockets open")
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		_, err = c.node(leader).Reading(target.Local).Execute(short, "SELECT 1")
		Expect(err).To(MatchError(context.DeadlineExceeded))

		other := c.but(leader)[0]
		_, err = other.Execute(ctx, "INSERT INTO t VALUES ('while paused')")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.target.Resume(ctx, leader)).To(Succeed())
		Expect(state(pid)).NotTo(Equal("T"))
		Expect(c.target.Resume(ctx, leader)).To(Succeed())
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(c.node(leader).Inside().Reading(target.Local).Execute(ctx, "SELECT v FROM t")).To(HaveRows(Row("while paused")))
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	It("queues changes of links, which take effect at Resume", func(ctx SpecContext) {
		c := boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		c.run(ctx, "INSERT INTO t VALUES ('old')")
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		asleep := (c.leader(ctx) + 1) % 3
		Expect(c.target.Pause(ctx, asleep)).To(Succeed())
		for i := range 3 {
			if i != asleep {
				Expect(c.target.SetLink(ctx, asleep, i, fault.Rule{Action: fault.Refuse})).To(Succeed())
				Expect(c.target.SetLink(ctx, i, asleep, fault.Rule{Action: fault.Refuse})).To(Succeed())
			}
		}
		_, err := c.but(asleep)[0].Execute(ctx, "UPDATE t SET v = 'new'")
		Expect(err).NotTo(HaveOccurred())
		Expect(c.target.Resume(ctx, asleep)).To(Succeed())
		Eventually(ctx, c.node(asleep).Status).Should(HaveField("State", target.Connecting))
		Expect(c.node(asleep).Inside().Reading(target.Local).Execute(ctx, "SELECT v FROM t")).To(HaveRows(Row("old")))
		for i := range 3 {
			if i != asleep {
				Expect(c.target.SetLink(ctx, asleep, i, fault.Rule{})).To(Succeed())
				Expect(c.target.SetLink(ctx, i, asleep, fault.Rule{})).To(Succeed())
			}
		}
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(c.node(asleep).Inside().Reading(target.Local).Execute(ctx, "SELECT v FROM t")).To(HaveRows(Row("new")))
	}, patience)

	It("allows a crash, but no stop", func(ctx SpecContext) {
		c := boot(ctx, 3)
		Expect(c.target.Pause(ctx, 1)).To(Succeed())
		Expect(c.target.Stop(ctx, 1)).To(MatchError("stop node n1: node n1 is offline: paused"))
		Expect(c.target.Crash(ctx, 1)).To(Succeed())
		Expect(children(os.Getpid())).To(HaveLen(2))
		Expect(c.target.Pause(ctx, 1)).To(MatchError("pause node n1: it is not running"))
		Expect(c.target.Resume(ctx, 1)).To(MatchError("resume node n1: it is not running"))
		Expect(c.target.Start(ctx, 1)).To(Succeed())
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	}, patience)

	It("does not prevent Close", func(ctx SpecContext) {
		c := boot(ctx, 3)
		Expect(c.all(func(i int) error { return c.target.Pause(ctx, i) })).To(Succeed())
		Expect(c.Close()).To(Succeed())
		Expect(children(os.Getpid())).To(BeEmpty())
	}, patience)
})
