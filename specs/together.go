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

// together are specs about concurrent requests to one node. In virtual time they arrive at one
// instant: Inside has no latency.
func together(env *environment) {
	Describe("Concurrent requests to one node", Label("suite:together"), func() {
		const atOnce, rounds = 6, 8

		BeforeEach(func(ctx SpecContext) {
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
		})

		It("with one ID are applied once, with one answer", func(ctx SpecContext) {
			env.requires(target.Dedup)
			for round := range rounds {
				for _, node := range env.cluster.Nodes() {
					key := fmt.Sprintf("key-of-%s-%d-%d", env.ns, round, node.Index())
					before := env.rows(ctx)
					answers := make([][][]any, atOnce)
					atOneTime(atOnce, func(i int) {
						result, err := env.keyedOn(ctx, node.Inside(), key, "INSERT INTO {ns}.t (v) VALUES (?) RETURNING id, v", key)
						if env.forgets(err) {
							return
						}
						Expect(err).NotTo(HaveOccurred())
						answers[i] = result.Rows()
					})
					Expect(env.rows(ctx)).To(Equal(before+1), "the request was not applied once")
					var first [][]any
					for _, rows := range answers {
						if rows == nil && !env.holds(target.KeepsAnswers) { // forgotten
							continue
						}
						if first == nil {
							first = rows
							Expect(first).To(HaveExactElements(HaveExactElements(BeNumerically(">", 0), key)))
						}
						Expect(rows).To(Equal(first), "the answers differ")
					}
				}
			}
		}, env.patience)

		It("are all applied and answered", func(ctx SpecContext) {
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

		DescribeTable("get their own answers",
			func(ctx SpecContext, consistency target.Consistency) {
				for i := range atOnce {
					env.run(ctx, "INSERT INTO {ns}.t VALUES (?, ?)", i, fmt.Sprint("row ", i))
				}
				Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t"))) // every node has them now
				for range rounds {
					for _, node := range env.cluster.Nodes() {
						reading := node.Inside().Reading(consistency)
						atOneTime(2*atOnce, func(i int) { // two requests for each row
							i %= atOnce
							Expect(env.runOn(ctx, reading, "SELECT v FROM {ns}.t WHERE id = ?", i)).To(HaveRows(Row(fmt.Sprint("row ", i))))
						})
					}
				}
			},
			Entry("local", env.patience, target.Local),
			Entry("leader", env.patience, target.Leader),
			Entry("strong", env.patience, target.Strong),
		)

		It("see a write that another node has just acknowledged", func(ctx SpecContext) {
			leader := env.leader(ctx)
			written := 0
			for _, node := range env.cluster.Nodes() {
				for range 2 * rounds {
					env.runOn(ctx, env.node(leader).Inside(), "INSERT INTO {ns}.t VALUES (?, 'x')", written)
					written++
					atOneTime(atOnce, func(i int) {
						reading := node.Inside().Reading([]target.Consistency{target.Leader, target.Strong}[i%2])
						Expect(env.runOn(ctx, reading, "SELECT count(*) FROM {ns}.t")).To(
							HaveRows(Row(written)), "a read does not see what was acknowledged before it")
					})
				}
			}
		}, env.patience)
	})
}

// atOneTime calls do concurrently, and waits for all calls.
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

// rows is the number of rows in {ns}.t.
func (env *environment) rows(ctx context.Context) int64 {
	GinkgoHelper()
	count, err := env.run(ctx, "SELECT count(*) FROM {ns}.t").Value()
	Expect(err).NotTo(HaveOccurred())
	return count.(int64)
}
