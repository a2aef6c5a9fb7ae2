package specs

import (
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func crash(w *world) {
	Describe("A crash under load", Label("suite:crash", "fault:crash"), func() {
		const writers = 6

		BeforeEach(func(SpecContext) {
			w.needs(3)
			w.requires(target.Crash)
		})

		It("of the leader loses no acknowledged write", func(ctx SpecContext) {
			load := w.load(ctx, writers, w.cluster.ExecuteOnRandom)
			for range 3 {
				leader := w.leader(ctx)
				term := statusOf(ctx, w.node(leader)).Term
				load.goesOn(ctx)
				w.leave(ctx, leader, harness.Crash)
				load.goesOn(ctx)
				Expect(statusOf(ctx, w.node(w.leader(ctx))).Term).To(BeNumerically(">", term), "nobody else was elected")
				w.comeBack(ctx, leader)
			}
			load.verify(ctx, 3*2*2*writers)
		}, patience)

		It("of a majority ends all writes until there is one again, and loses none", func(ctx SpecContext) {
			load := w.load(ctx, writers, w.cluster.ExecuteOnRandom)
			load.goesOn(ctx)
			lost := w.cluster.Quorum()
			for node := range lost {
				w.leave(ctx, node, harness.Crash)
			}
			last := w.cluster.Size() - 1
			Eventually(ctx, w.node(last)).ShouldNot(BeOnline(), "it still thinks that somebody leads")
			_, err := w.node(last).Execute(ctx, w.sql("INSERT INTO {ns}.entries VALUES ('of a minority', 0)"))
			Expect(codeOf(err)).To(BeElementOf("NO_LEADER", "NO_QUORUM"), "%v", err)
			Expect(target.OutcomeOf(err)).NotTo(Equal(target.Applied))

			w.comeBack(ctx, 0)
			load.goesOn(ctx)
			for node := 1; node < lost; node++ {
				w.comeBack(ctx, node)
			}
			load.goesOn(ctx)
			load.verify(ctx, 3*2*writers)
		}, patience)

		It("of all nodes at once keeps every acknowledged write", func(ctx SpecContext) {
			load := w.load(ctx, writers, w.cluster.ExecuteOnRandom)
			for range 2 {
				load.goesOn(ctx)
				w.each(func(node int) { w.leave(ctx, node, harness.Crash) })
				Expect(w.cluster.OnlineNodes()).To(BeEmpty())
				w.each(func(node int) { Expect(w.cluster.BringNodeOnline(ctx, node)).To(Succeed()) })
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				Eventually(ctx, w.cluster).Should(HaveLeader())
			}
			load.goesOn(ctx)
			load.verify(ctx, 3*2*writers)
		}, patience)

		It("of all nodes that hold a write, right after it was acknowledged, keeps it", func(ctx SpecContext) {
			const rows = 5
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			absent := w.others(w.leader(ctx))[:w.cluster.Size()-w.cluster.Quorum()]
			for _, node := range absent {
				w.leave(ctx, node)
			}
			for i := range rows {
				w.patiently(ctx, "INSERT INTO {ns}.t VALUES (?)", i)
			}
			var holders []int
			for _, node := range w.cluster.OnlineNodes() {
				holders = append(holders, node.Index())
			}
			for _, node := range holders {
				w.leave(ctx, node, harness.Crash)
			}
			w.comeBack(ctx, holders...)
			Expect(w.patiently(ctx, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(rows)), "what was acknowledged is lost")
			w.comeBack(ctx, absent...)
			Eventually(ctx, w.cluster).Should(BeConsistent(w.sql("SELECT * FROM {ns}.t")))
		}, patience)
	})
}

// each does something with all nodes at once.
func (w *world) each(f func(node int)) {
	var wg sync.WaitGroup
	for _, node := range w.cluster.Nodes() {
		wg.Go(func() {
			defer GinkgoRecover()
			f(node.Index())
		})
	}
	wg.Wait()
}
