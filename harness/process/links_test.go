package process_test

import (
	"context"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("Links between processes", func() {
	var (
		c    *fixture
		drop = fault.Rule{Action: fault.Drop}
	)

	BeforeEach(func(ctx SpecContext) {
		c = boot(ctx, 3)
		c.run(ctx, "CREATE TABLE t (v TEXT)")
		c.run(ctx, "INSERT INTO t VALUES ('old')")
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
	})

	held := func(ctx context.Context, i int) any {
		GinkgoHelper()
		result, err := c.node(i).Inside().Reading(target.Local).Execute(ctx, "SELECT v FROM t")
		Expect(err).NotTo(HaveOccurred())
		return result.Rows()[0][0]
	}

	It("are cut in one direction, and restored", func(ctx SpecContext) {
		leader := c.leader(ctx)
		deaf := (leader + 1) % 3
		Expect(c.target.SetLink(ctx, leader, deaf, drop)).To(Succeed())
		_, err := c.node(leader).Execute(ctx, "UPDATE t SET v = 'new'")
		Expect(err).NotTo(HaveOccurred(), "the other two are a quorum")
		Consistently(ctx, func() any { return held(ctx, deaf) }).Should(Equal("old"))
		Expect(c.target.SetLink(ctx, leader, deaf, fault.Rule{})).To(Succeed())
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(held(ctx, deaf)).To(Equal("new"))
	}, patience)

	It("stay cut during isolation, and follow their rule afterwards, also in the next life", func(ctx SpecContext) {
		away := (c.leader(ctx) + 1) % 3
		others := c.but(away)
		Expect(c.target.Isolate(ctx, away)).To(Succeed())
		for _, other := range others {
			Expect(c.target.SetLink(ctx, other.Index(), away, drop)).To(Succeed())
			Expect(c.target.SetLink(ctx, away, other.Index(), fault.Rule{})).To(Succeed())
		}
		_, err := others[0].Execute(ctx, "UPDATE t SET v = 'new'")
		Expect(err).NotTo(HaveOccurred())
		Consistently(ctx, func() any { return held(ctx, away) }).Should(Equal("old"))
		Expect(c.target.Crash(ctx, away)).To(Succeed())
		Expect(c.target.Start(ctx, away)).To(Succeed())
		_, err = c.node(away).Execute(ctx, "SELECT 1")
		Expect(err).To(MatchError(syscall.ECONNREFUSED))

		By("rejoining it over links that still drop all messages to it")
		Expect(c.target.Rejoin(ctx, away)).To(Succeed())
		Expect(c.node(away).Reading(target.Local).AsIs().Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
		Expect(c.status(ctx, away)).To(HaveField("State", target.Connecting))

		for _, other := range others {
			Expect(c.target.SetLink(ctx, other.Index(), away, fault.Rule{})).To(Succeed())
		}
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(held(ctx, away)).To(Equal("new"))
	}, patience)

	// This node can only become leader over connections that it dials, and only its own process can cut those.
	DescribeTable("are cut by a node itself from the moment that", func(
		ctx SpecContext, leave, comeBack func(c *fixture, i int) error,
	) {
		leader := c.leader(ctx)
		away, other := (leader+1)%3, (leader+2)%3
		Expect(leave(c, away)).To(Succeed())
		Expect(c.target.Isolate(ctx, away)).To(Succeed())
		Expect(c.target.Crash(ctx, leader)).To(Succeed())
		Expect(comeBack(c, away)).To(Succeed())
		Consistently(ctx, func() []string {
			return []string{c.status(ctx, away).Leader, c.status(ctx, other).Leader}
		}, time.Second).ShouldNot(ContainElement(c.node(away).ID()))

		Expect(c.target.Rejoin(ctx, away)).To(Succeed())
		Eventually(ctx, func() string { return c.status(ctx, other).Leader }).
			Should(BeElementOf(c.node(away).ID(), c.node(other).ID()))
	},
		Entry("it starts again", patience,
			func(c *fixture, i int) error { return c.target.Crash(context.Background(), i) },
			func(c *fixture, i int) error { return c.target.Start(context.Background(), i) }),
		Entry("it resumes", patience,
			func(c *fixture, i int) error { return c.target.Pause(context.Background(), i) },
			func(c *fixture, i int) error { return c.target.Resume(context.Background(), i) }),
	)

	It("include the clients' links", func(ctx SpecContext) {
		Expect(c.target.SetLink(ctx, fault.Clients, 1, fault.Rule{Action: fault.Refuse})).To(Succeed())
		_, err := c.node(1).Execute(ctx, "SELECT 1")
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		Expect(c.node(1).Inside().Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
		Expect(c.target.SetLink(ctx, fault.Clients, 1, fault.Rule{})).To(Succeed())
		Expect(c.node(1).Execute(ctx, "SELECT 1")).To(HaveRows(Row(1)))
		Expect(c.target.ResetLink(ctx, fault.Clients, 1)).To(Succeed())
	}, patience)

	It("can be reset in the middle of a message without losing writes", func(ctx SpecContext) {
		leader := c.leader(ctx)
		for i := range 10 {
			Expect(c.target.ResetLink(ctx, leader, (leader+1)%3)).To(Succeed())
			_, err := c.node(leader).Execute(ctx, "UPDATE t SET v = ?", i)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)

	DescribeTable("are rejected if they are invalid", func(ctx SpecContext, from, to int, rule fault.Rule, message string) {
		Expect(c.target.SetLink(ctx, from, to, rule)).To(MatchError(ContainSubstring(message)))
	},
		Entry("a missing node", patience, 0, 3, fault.Rule{}, "there is no node 3: the cluster has 3"),
		Entry("a node and itself", patience, 1, 1, fault.Rule{}, "a host always reaches itself"),
		Entry("a negative bandwidth", patience, 0, 1, fault.Rule{Bandwidth: -1}, "bandwidth must not be negative"),
	)

	It("can be set during other faults, and while nodes restart", func(ctx SpecContext) {
		short, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		defer cancel()
		_ = c.all(func(i int) error { // errors at the end of the context do not matter
			for round := 0; short.Err() == nil; round++ {
				switch {
				case i < 2:
					Expect(c.target.SetLink(ctx, i, 2, fault.Rule{Action: fault.Action(round % 3)})).To(Succeed())
				case round%2 == 0:
					Expect(c.target.Pause(ctx, 2)).To(Succeed())
					Expect(c.target.Resume(ctx, 2)).To(Succeed())
				default:
					Expect(c.target.Crash(ctx, 2)).To(Succeed())
					Expect(c.target.Start(ctx, 2)).To(Succeed())
				}
			}
			return nil
		})
		for i := range 2 {
			Expect(c.target.SetLink(ctx, i, 2, fault.Rule{})).To(Succeed())
		}
		Expect(c.WaitForAllOnline(ctx)).To(Succeed())
		c.run(ctx, "UPDATE t SET v = 'new'")
		Expect(c.VerifyInvariants(ctx)).To(Succeed())
	}, patience)
})
