package specs

import (
	"bytes"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// largeRows are rows of which a few are more than a node takes in at once.
func largeRows(w *world) {
	Describe("Large rows", Label("suite:large-rows", "fault:isolate"), func() {
		// writeLarge writes rows of so many bytes, each of another content.
		writeLarge := func(ctx SpecContext, from, count, size int) {
			GinkgoHelper()
			for i := range count {
				w.patiently(ctx, "INSERT INTO {ns}.large (id, v) VALUES (?, ?)", from+i, bytes.Repeat([]byte{byte(from + i)}, size))
			}
		}
		const all = "SELECT id, length(v), hex(substr(v, 1, 8)) FROM {ns}.large ORDER BY id"
		away := func(ctx SpecContext) (victim int) {
			GinkgoHelper()
			w.needs(3)
			w.run(ctx, "CREATE TABLE {ns}.large (id INTEGER PRIMARY KEY, v BLOB)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
			victim = w.others(w.leader(ctx))[0]
			w.leave(ctx, victim)
			return victim
		}

		It("reach a node that was away while many were written", func(ctx SpecContext) {
			victim := away(ctx)
			writeLarge(ctx, 1, 24, 256<<10)
			Expect(w.node(victim)).NotTo(HaveCaughtUp())
			w.comeBack(ctx, victim)
			Expect(w.cluster).To(BeConsistent(w.sql(all)))
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, w.sql("SELECT count(*), sum(length(v)) FROM {ns}.large"))).To(
				And(HaveLen(w.cluster.Size()), HaveRows(Row(24, 24*256<<10))))
		}, patience)

		It("reach it over a link that is narrow: each has the time that its bytes take", Label("fault:bandwidth"), func(ctx SpecContext) {
			w.requires(target.Links)
			victim := away(ctx)
			writeLarge(ctx, 1, 1, 3<<20)
			for _, node := range w.others(victim) {
				Expect(w.cluster.SetLink(ctx, node, victim, network.Rule{Bandwidth: 2 << 20})).To(Succeed())
			}
			w.comeBack(ctx, victim)
			Eventually(ctx, w.node(victim)).Should(HaveCaughtUp())
			Expect(w.cluster.Heal(ctx)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql(all)))
		}, patience)
	})
}
