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
func together(env *environment) {
	Describe("Requests that come together to one node", Label("suite:together"), func() {
		const atOnce, rounds = 6, 8

		BeforeEach(func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("are applied once if they are one, and have one answer", func(ctx SpecContext) {
			env.requires(target.Dedup)
			for round := range rounds {
				for _, node := range env.cluster.Nodes() {
					key := fmt.Sprintf("key-of-%s-%d-%d", env.ns, round, node.Index())
					before := env.rows(ctx)
					answers := make([][][]any, atOnce)
					atOneTime(atOnce, func(i int) {
						result, err := env.keyedOn(ctx, node.Inside(), key, "INSERT INTO {ns}.t (v) VALUES (?) RETURNING id, v", key)
						Expect(err).NotTo(HaveOccurred())
						answers[i] = result.Rows()
					})
					Expect(env.rows(ctx)).To(Equal(before+1), "one request was not applied once")
					for _, rows := range answers {
						Expect(rows).To(Equal([][]any{{before + 1, key}}), "the answers to one request differ")
					}
				}
			}
		}, env.patience)

		It("are all applied and answered if they are many", func(ctx SpecContext) {
			leader := env.node(env.leader(ctx)).Inside()
			for round := range 4 * rounds {
				atOneTime(atOnce, func(i int) {
					env.runOn(ctx, leader, "INSERT INTO {ns}.t VALUES (?, 'x')", round*atOnce+i)
				})
				env.runOn(ctx, leader, "UPDATE {ns}.t SET v = 'y' WHERE id = ?", round*atOnce)
			}
			Expect(env.rows(ctx)).To(Equal(int64(4 * rounds * atOnce)))
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
		}, env.patience)

		DescribeTable("have each its own answer",
			func(ctx SpecContext, consistency target.Consistency) {
				for i := range atOnce {
					env.run(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", i, fmt.Sprint("row ", i))
				}
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t"))) // and so every node has them
				for range rounds {
					for _, node := range env.cluster.Nodes() {
						reading := node.Inside().Reading(consistency)
						atOneTime(2*atOnce, func(i int) { // two ask for each row
							i %= atOnce
							Expect(env.runOn(ctx, reading, "SELECT v FROM {ns}.t WHERE id = ?", i)).To(HaveRows(Row(fmt.Sprint("row ", i))))
						})
					}
				}
			},
			Entry("when they read the node's own state", env.patience, target.Local),
			Entry("when they read what the leader has applied", env.patience, target.Leader),
			Entry("when they are strong", env.patience, target.Strong),
		)

		It("see what another node has just acknowledged", func(ctx SpecContext) {
			leader := env.leader(ctx)
			written := 0
			for _, node := range env.cluster.Nodes() {
				for range 2 * rounds {
					env.runOn(ctx, env.node(leader).Inside(), "INSERT INTO {ns}.t VALUES (?, 'x')", written)
					written++
					atOneTime(atOnce, func(i int) {
						reading := node.Inside().Reading([]target.Consistency{target.Leader, target.Strong}[i%2])
						Expect(env.runOn(ctx, reading, "SELECT count(*) FROM {ns}.t")).To(HaveRows(Row(written)), "a read does not see what was acknowledged before it")
					})
				}
			}
		}, env.patience)
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
func (env *environment) rows(ctx context.Context) int64 {
	GinkgoHelper()
	count, err := env.run(ctx, "SELECT count(*) FROM {ns}.t").Value()
	Expect(err).NotTo(HaveOccurred())
	return count.(int64)
}
