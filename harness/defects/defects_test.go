package defects_test

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/defects"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

const patience = SpecTimeout(30 * time.Second)

// boot boots three nodes with the bug.
func boot(ctx context.Context, d defects.Defect) *harness.Cluster {
	GinkgoHelper()
	t, err := d.Plant(virtual.New(virtual.Options{}))
	Expect(err).NotTo(HaveOccurred())
	c, err := harness.Boot(ctx, t, d.Options()...)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

func find(name string) defects.Defect {
	GinkgoHelper()
	d, err := defects.Find(name)
	Expect(err).NotTo(HaveOccurred())
	return d
}

var _ = Describe("The catalogue", func() {
	It("has at least thirty bugs, each with a unique name, a kind and a sentence", func() {
		names := make(map[string]bool)
		for _, d := range defects.All() {
			Expect(d.Name).To(MatchRegexp(`^[a-z]+(-[a-z]+)*$`))
			Expect(names).NotTo(HaveKey(d.Name))
			Expect(d.Kind).NotTo(BeEmpty())
			Expect(d.About).To(HavePrefix("suite:"))
			Expect(d.Text).To(MatchRegexp(`^[a-z].*[a-z0-9]$`))
			names[d.Name] = true
		}
		Expect(len(names)).To(BeNumerically(">=", 30))
	})

	It("has at least six races between two goroutines, with specs about them", func() {
		var between []string
		for _, d := range defects.All() {
			Expect(d.Between).To(Equal(d.Kind == "interleaving"), d.Name)
			if d.Between {
				between = append(between, d.Name)
				Expect(d.About).To(Equal("suite:together"), d.Name)
			}
		}
		Expect(len(between)).To(BeNumerically(">=", 6))
	})

	It("has no bug without a name, and lists the names", func() {
		Expect(defects.Find("")).To(Equal(defects.None))
		Expect(defects.None.Options()).To(BeEmpty())
		t := virtual.New(virtual.Options{})
		Expect(defects.None.Plant(t)).To(BeIdenticalTo(t))
		_, err := defects.Find("nothing")
		Expect(err).To(MatchError(HavePrefix(`there is no defect "nothing": there are skips-an-entry, `)))
	})
})

var _ = Describe("A planted bug", virtual.Bubble(), func() {
	const table = "CREATE NAMESPACE ns; CREATE TABLE ns.t (id INTEGER PRIMARY KEY, v)"

	It("of values changes what is stored", func(ctx SpecContext) {
		c := boot(ctx, find("large-integers-are-rounded"))
		Expect(c.ExecuteWithRetry(ctx, table)).Error().NotTo(HaveOccurred())
		Expect(c.ExecuteWithRetry(ctx, "INSERT INTO ns.t VALUES (1, ?)", int64(1<<53+1))).Error().NotTo(HaveOccurred())
		result, err := c.ExecuteOnRandom(ctx, "SELECT v FROM ns.t")
		Expect(err).NotTo(HaveOccurred())
		Expect(result.Value()).To(Equal(int64(1 << 53)))
	}, patience)

	It("of the router skips a node", func(ctx SpecContext) {
		c := boot(ctx, find("all-forgets-a-node"))
		Expect(c.ExecuteOnAll(ctx, "SELECT 1")).To(HaveLen(2))
	}, patience)

	It("of a restart has no effect on the first start of a node", func(ctx SpecContext) {
		for _, name := range []string{"forgets-synced-entries", "forgets-its-vote", "replays-from-too-high", "leaks-a-process"} {
			c := boot(ctx, find(name))
			Expect(c.ExecuteWithRetry(ctx, table)).Error().NotTo(HaveOccurred())
			Expect(c.WaitForAllOnline(ctx)).To(Succeed())
			Expect(c.VerifyInvariants(ctx)).To(Succeed())
		}
	}, patience)

	It("between two goroutines has no effect on sequential requests", func(ctx SpecContext) {
		for _, d := range defects.All() {
			if !d.Between {
				continue
			}
			c := boot(ctx, d)
			Expect(c.ExecuteWithRetry(ctx, table)).Error().NotTo(HaveOccurred())
			for i := range int64(c.Size()) {
				node, err := c.Node(int(i))
				Expect(err).NotTo(HaveOccurred())
				for range 2 { // the retry has the first answer
					result, err := node.ExecuteAs(ctx, fmt.Sprint("key ", i), "INSERT INTO ns.t (v) VALUES (?) RETURNING id", "x")
					Expect(err).NotTo(HaveOccurred(), d.Name)
					Expect(result.Value()).To(Equal(i+1), d.Name)
				}
				for _, consistency := range []target.Consistency{target.Leader, target.Strong} {
					result, err := node.Reading(consistency).Execute(ctx, "SELECT count(*) FROM ns.t")
					Expect(err).NotTo(HaveOccurred(), d.Name)
					Expect(result.Value()).To(Equal(i+1), d.Name)
				}
			}
			Expect(c.VerifyInvariants(ctx)).To(Succeed(), d.Name)
		}
	}, patience)

	It("of a restart takes effect at the second start of a node", func(ctx SpecContext) {
		c := boot(ctx, find("forgets-its-vote"))
		leader, err := c.Leader(ctx)
		Expect(err).NotTo(HaveOccurred())
		follower := (leader + 1) % c.Size()
		Expect(c.TakeNodeOffline(ctx, follower, fault.Crash)).To(Succeed())
		Expect(c.Heal(ctx)).To(Succeed())
		Expect(c.VerifyInvariants(ctx)).To(MatchError(ContainSubstring("and has forgotten it")))
	}, patience)
})
