package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// story is what a newcomer writes first: no wait but the one for the node. It must hold
// on every healthy cluster.
func story(w *world) {
	Describe("A first story", Label("suite:story", "fault:isolate"), func() {
		It("needs no wait before a table is read everywhere, nor before nodes are compared", func(ctx SpecContext) {
			w.needs(3)
			Expect(w.cluster.ExecuteOnRandom(ctx, w.sql("CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)"))).Error().NotTo(HaveOccurred())
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, w.sql("SELECT * FROM {ns}.t"))).To(
				And(HaveLen(w.cluster.Size()), HaveRows()))

			Expect(w.cluster.TakeNodeOffline(ctx, 1)).To(Succeed())
			Expect(w.cluster.ExecuteOnRandom(ctx, w.sql("INSERT INTO {ns}.t VALUES (1, 'x')"))).Error().NotTo(HaveOccurred())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t ORDER BY id")))

			Expect(w.cluster.BringNodeOnline(ctx, 1)).To(Succeed())
			Expect(w.cluster.WaitForNodeOnline(ctx, 1)).To(Succeed())
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t")))
			Expect(w.cluster.Reading(target.Local).ExecuteOnAll(ctx, w.sql("SELECT * FROM {ns}.t"))).To(
				And(HaveLen(w.cluster.Size()), HaveRows(Row(1, "x"))))
		}, patience)
	})
}
