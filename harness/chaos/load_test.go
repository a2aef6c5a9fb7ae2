package chaos_test

import (
	"context"
	"math/rand/v2"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/chaos"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

const patience = SpecTimeout(30 * time.Second)

// boot boots three nodes in the spec's bubble.
func boot(ctx context.Context) *harness.Cluster {
	GinkgoHelper()
	c, err := harness.Boot(ctx, virtual.New(virtual.Options{}), harness.Seed(uint64(GinkgoRandomSeed())))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(c.Close)
	return c
}

var _ = Describe("A load", virtual.Bubble(), func() {
	for _, name := range chaos.Names() {
		It("runs the workload "+name+" while a node is away, and writes down all it did", func(ctx SpecContext) {
			c := boot(ctx)
			w, err := chaos.Named(name, "ns")
			Expect(err).NotTo(HaveOccurred())
			running, err := chaos.Load{Workload: w, Clients: 4, Rate: 50, Most: 300, Seed: 7}.Start(ctx, c)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(running.Stop)
			done := func() int { return running.Tally().OK }
			Eventually(ctx, done).Should(BeNumerically(">", 20))
			Expect(c.TakeNodeOffline(ctx, 0)).To(Succeed())
			Eventually(ctx, done).Should(BeNumerically(">", 60))
			Expect(c.Heal(ctx)).To(Succeed())
			Eventually(ctx, running.Done()).Should(BeClosed())
			Expect(running.Finish(ctx)).To(Succeed())
			Expect(c.VerifyInvariants(ctx)).To(Succeed())

			tally := running.Tally()
			Expect(tally.All()).To(Equal(300))
			Expect(tally.OK).To(BeNumerically(">", 90), tally.String())
			clients, finals := 0, map[int]bool{}
			for _, e := range c.Journal().Events() {
				switch {
				case e.Op == nil || len(e.Op.Steps) == 0:
				case e.Op.Final:
					Expect(e.Op.Outcome).To(Equal(journal.OK), e.String())
					finals[e.Node] = true
				default:
					Expect(e.Op.Client).NotTo(Equal(journal.Nobody))
					clients++
				}
				if e.Op == nil || e.Op.Outcome != journal.OK {
					continue
				}
				for _, s := range e.Op.Steps {
					if s.Do == journal.Read {
						Expect(s.Got).NotTo(BeNil(), e.String())
					}
				}
			}
			Expect(clients).To(Equal(300))
			Expect(finals).To(HaveLen(3))
		}, patience)
	}

	It("lets clients that nobody answered go on under another number", func(ctx SpecContext) {
		c := boot(ctx)
		w := chaos.Counter("ns")
		running, err := chaos.Load{Workload: w, Clients: 3, Rate: 20, Deadline: 100 * time.Millisecond}.Start(ctx, c)
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, func() int { return running.Tally().OK }).Should(BeNumerically(">", 5))
		_, err = c.IsolateLeader(ctx)
		Expect(err).NotTo(HaveOccurred())
		Eventually(ctx, func() int { return running.Tally().Unknown }).Should(BeNumerically(">", 0))
		Expect(c.Heal(ctx)).To(Succeed())
		running.Stop()
		busy := map[int]time.Time{}
		highest := 0
		for _, e := range c.Journal().Events() {
			if e.Op == nil || e.Op.Client == journal.Nobody {
				continue
			}
			highest = max(highest, e.Op.Client)
			Expect(e.At).To(BeTemporally(">=", busy[e.Op.Client]), "client %d does two things at once", e.Op.Client)
			busy[e.Op.Client] = e.End()
			if e.Op.Outcome == journal.Unknown {
				busy[e.Op.Client] = time.Unix(1<<40, 0)
			}
		}
		Expect(highest).To(BeNumerically(">=", 3))
	}, patience)

	It("says why it cannot be set up", func(ctx SpecContext) {
		c := boot(ctx)
		_, err := chaos.Load{Workload: chaos.Set("no name")}.Start(ctx, c)
		Expect(err).To(MatchError(HavePrefix("set up the workload set: ")))
	}, patience)
})

var _ = Describe("Workloads", func() {
	It("are found by their names", func() {
		_, err := chaos.Named("nothing", "ns")
		Expect(err).To(MatchError(`there is no workload "nothing": there are register, set, list, pairs, bank, counter, unique, ddl`))
	})

	It("make the same choices by the same chance", func() {
		for i, w := range chaos.Workloads("ns") {
			again := chaos.Workloads("ns")[i]
			one, other := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
			for range 50 {
				a, b := w.Next(one, 1), again.Next(other, 1)
				Expect(a.Op).To(Equal(b.Op))
				Expect(a.SQL).To(Equal(b.SQL))
				Expect(a.SQL).NotTo(ContainSubstring("{"))
			}
		}
	})
})
