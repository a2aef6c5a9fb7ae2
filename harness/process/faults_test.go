package process_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = Describe("A process's clock", func() {
	It("affects SQL, and keeps its skew across restarts", func(ctx SpecContext) {
		c := boot(ctx, 1)
		c.run(ctx, "CREATE TABLE t (at TEXT)")
		const day = 24 * time.Hour
		ahead := func() time.Duration {
			GinkgoHelper()
			c.runOn(ctx, 0, "DELETE FROM t; INSERT INTO t VALUES (CURRENT_TIMESTAMP)")
			row, err := first(ctx, c.target.Nodes()[0].Inside(), "SELECT at FROM t")
			Expect(err).NotTo(HaveOccurred())
			at, err := time.Parse(time.DateTime, row[0].(string))
			Expect(err).NotTo(HaveOccurred())
			return time.Until(at)
		}
		Expect(ahead()).To(BeNumerically("~", 0, time.Hour))
		Expect(c.target.SetClock(ctx, 0, day)).To(Succeed())
		Expect(ahead()).To(BeNumerically("~", day, time.Hour))
		Expect(c.target.Crash(ctx, 0)).To(Succeed())
		Expect(c.target.Start(ctx, 0)).To(Succeed())
		Expect(ahead()).To(BeNumerically("~", day, time.Hour))
		Expect(c.target.Crash(ctx, 0)).To(Succeed())
		Expect(c.target.SetClock(ctx, 0, 2*day)).To(Succeed())
		Expect(c.target.Start(ctx, 0)).To(Succeed())
		Expect(ahead()).To(BeNumerically("~", 2*day, time.Hour))
	}, patience)
})

var _ = Describe("A process's disk", func() {
	It("rejects invalid faults and parts", func(ctx SpecContext) {
		c := boot(ctx, 1)
		Expect(c.target.SetDisk(ctx, 0, fault.Disk{Slow: -1})).To(MatchError("disk slowdown -1ns: must not be negative"))
		Expect(c.target.SetDisk(ctx, 1, fault.Disk{})).To(MatchError("there is no node 1: the cluster has 1"))
		_, err := c.target.Damage(ctx, 0, "lid")
		Expect(err).To(MatchError(ContainSubstring(`unknown disk part "lid"`)))
		_, err = c.target.Damage(ctx, 0, fault.Snapshot)
		Expect(err).To(MatchError(ContainSubstring("there is none in")), "there is no snapshot yet")
		Expect(c.target.SetDisk(ctx, 0, fault.Disk{Slow: time.Millisecond})).To(Succeed())
	}, patience)
})

var _ = Describe("A process's log", func() {
	It("covers all its lives, and can be read from the end", func(ctx SpecContext) {
		c := boot(ctx, 1, loud)
		said := func() string {
			GinkgoHelper()
			text, err := c.target.Log(0, 1<<20)
			Expect(err).NotTo(HaveOccurred())
			return text
		}
		first := said()
		Expect(first).To(ContainSubstring("n0"))
		Expect(c.target.Stop(ctx, 0)).To(Succeed())
		Expect(c.target.Start(ctx, 0)).To(Succeed())
		Eventually(said).Should(And(HavePrefix(first), HaveLen(len(said()))))
		Expect(len(said())).To(BeNumerically(">", len(first)))
		Expect(c.target.Log(0, 10)).To(HaveLen(10))
		_, err := c.target.Log(1, 10)
		Expect(err).To(HaveOccurred())
	}, patience)
})
