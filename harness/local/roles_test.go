package local_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/local"
)

var _ = Describe("The roles of local nodes", func() {
	// led are the terms in which a node reported that it leads.
	led := func(c *harness.Cluster, node int) (terms []uint64) {
		for _, e := range c.Journal().Events() {
			if e.Kind == journal.Role && e.Node == node && e.State.Role == "leader" {
				terms = append(terms, e.State.Term)
			}
		}
		return terms
	}

	It("are in the journal as they change, from the first election on", func(ctx SpecContext) {
		c := boot(ctx, 3, local.Options{})
		first, err := c.Leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(led(c, first)).NotTo(BeEmpty())
		for _, n := range c.Nodes() {
			Expect(c.Journal().Events()).To(ContainElement(And(HaveField("Kind", journal.Role), HaveField("Node", n.Index()),
				HaveField("State.Role", "follower"))))
		}

		Expect(c.TakeNodeOffline(ctx, first, fault.Stop)).To(Succeed())
		var second int
		Eventually(func() (err error) { second, err = c.Leader(ctx); return err }).Should(Succeed())
		Expect(led(c, second)).To(ContainElement(BeNumerically(">", led(c, first)[0])))
		Expect(check.OneLeader(c.Journal().Events())).To(Succeed())
		Expect(c.Journal().Header()).To(And(HaveField("Target", "local"), HaveField("Abilities", ContainElement("report changes of role"))))
	}, patience)
})
