package specs

import (
	"context"
	"fmt"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

// together is about requests that come to one node at one time: in virtual time at one
// instant, since nothing lies between a node and who sits beside it.
func together(w *world) {
	Describe("Requests that come together to one node", Label("suite:together"), func() {
		const atOnce, rounds = 6, 8

		BeforeEach(func(ctx SpecContext) {
			w.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("are applied once if they are one, and have one answer", func(ctx SpecContext) {
			w.requires(target.Keys)
			for round := range rounds {
				for _, node := range w.cluster.Nodes() {
					key := fmt.Sprintf("key-of-%s-%d-%d", w.ns, round, node.Index())
					before := w.rows(ctx)
					answers := make([][][]any, atOnce)
					atOneTime(atOnce, func(i int) {
						result, err := w.keyedOn(ctx, node.Inside(), key, "INSERT INTO {ns}.t (v) VALUES (?) RETURNING id, v", key)
						Expect(err).NotTo(HaveOccurred())
						answers[i] = result.Rows()
					})
					Expect(w.rows(ctx)).To(Equal(before+1), "one request was not applied once")
					for _, rows := range answers {
						Expect(rows).To(Equal([][]any{{before + 1, key}}), "the answers to one request differ")
					}
				}
			}
		}, patience)

		It("are all applied and answered if they are many", func(ctx SpecContext) {
			leader := w.node(w.leader(ctx)).Inside()
			for round := range 4 * rounds {
				atOneTime(atOnce, func(i int) {
					w.runOn(ctx, leader, "INSERT INTO {ns}.t VALUES (?, 'x')", round*atOnce+i)
				})
				w.runOn(ctx, leader, "UPDATE {ns}.t SET v = 'y' WHERE id = ?", round*atOnce)
			}
			Expect(w.rows(ctx)).To(Equal(int64(4 * rounds * atOnce)))
			Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t")))
		}, patience)

		DescribeTable("have each its own answer",
			func(ctx SpecContext, consistency target.Consistency) {
				for i := range atOnce {
					w.run(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", i, fmt.Sprint("row ", i))
				}
				Expect(w.cluster).To(BeConsistent(w.sql("SELECT * FROM {ns}.t"))) // and so every node has them
				for range rounds {
					for _, node := range w.cluster.Nodes() {
						reading := node.Inside().Reading(consistency)
						atOneTime(2*atOnce, func(i int) { // two ask for each row
							i %= atOnce
							Expect(w.runOn(ctx, reading, "SELECT v FROM {ns}.t WHERE id = ?", i)).To(HaveRows(Row(fmt.Sprint("row ", i))))
						})
					}
				}
			},
			Entry("when they read the node's own state", patience, target.Local),
			Entry("when they read what the leader has applied", patience, target.Leader),
			Entry("when they are strong", patience, target.Strong),
		)

		It("see what another node has just acknowledged", func(ctx SpecContext) {
			leader := w.leader(ctx)
			written := 0
			for _, node := range w.cluster.Nodes() {
				for range 2 * rounds {
					w.runOn(ctx, w.node(leader).Inside(), "INSERT INTO {ns}.t VALUES (?, 'x')", written)
					written++
					atOneTime(atOnce, func(i int) {
						reading := node.Inside().Reading([]target.Consistency{target.Leader, target.Strong}[i%2])
						Expect(w.runOn(ctx, reading, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(written)), "a read does not see what was acknowledged before it")
					})
				}
			}
		}, patience)
	})
}

// atOneTime does something several times at one time, and waits for all.
func atOneTime(times int, do func(i int)) {
	var all sync.WaitGroup
	defer all.Wait()
	for i := range times {
		all.Go(func() {
			defer GinkgoRecover()
			do(i)
		})
	}
}

// rows is how many rows there are in {ns}.t.
func (w *world) rows(ctx context.Context) int64 {
	GinkgoHelper()
	count, err := w.run(ctx, "SELECT count(*) FROM {ns}.t").Value()
	Expect(err).NotTo(HaveOccurred())
	return count.(int64)
}
