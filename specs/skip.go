package specs

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func skip(env *environment) {
	When("one node is offline", Label("suite:skip", "fault:isolate"), func() {
		const away = 2

		BeforeEach(func(ctx SpecContext) {
			env.needs(3)
			env.run(ctx, "CREATE TABLE {ns}.t (id INTEGER PRIMARY KEY, v TEXT)")
			env.run(ctx, "INSERT INTO {ns}.t VALUES (1, 'old')")
			Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
			env.leave(ctx, away)
		})

		It("is skipped by ExecuteOnAll until it returns", func(ctx SpecContext) {
			// It may have led: then reads fail until another leads.
			onAll := func(ctx context.Context) ([]harness.Result, error) {
				return env.cluster.ExecuteOnAll(ctx, env.sql("SELECT v FROM {ns}.t"))
			}
			var results []harness.Result
			env.eventually(ctx, func(ctx context.Context) (err error) { results, err = onAll(ctx); return err }).Should(Succeed())
			Expect(results).To(HaveLen(env.cluster.Size() - 1))
			for _, r := range results {
				Expect(r.Node).NotTo(Equal(away))
			}
			env.comeBack(ctx, away)
			env.eventually(ctx, onAll).Should(And(HaveLen(env.cluster.Size()), HaveRows(Row("old"))))
		}, env.patience)

		It("is never chosen by ExecuteOnRandom, in 200 tries", func(ctx SpecContext) {
			asked := make(map[int]int)
			for range 200 {
				result, err := env.cluster.Reading(target.Local).ExecuteOnRandom(ctx, "SELECT 1")
				Expect(err).NotTo(HaveOccurred())
				asked[result.Node]++
			}
			Expect(asked).NotTo(HaveKey(away))
			Expect(asked).To(HaveLen(env.cluster.Size()-1), "an online node was never chosen")
		}, env.patience)

		It("is skipped by comparisons until it returns", func(ctx SpecContext) {
			env.patiently(ctx, "UPDATE {ns}.t SET v = 'new'")
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))

			By("verifying that it differs")
			inside := env.node(away).Inside().Reading(target.Local)
			env.eventually(ctx, func(ctx context.Context) (harness.Result, error) { // a deposed leader may have to start again
				return inside.Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
			}).Should(HaveRows(Row("old")))

			env.comeBack(ctx, away)
			Expect(env.cluster).To(BeConsistent(env.sql("SELECT * FROM {ns}.t")))
			Expect(inside.Execute(ctx, env.sql("SELECT v FROM {ns}.t"))).To(HaveRows(Row("new")))
		}, env.patience)

		It("answers no client", func(ctx SpecContext) {
			_, err := env.node(away).Reading(target.Local).Execute(ctx, "SELECT 1")
			Expect(err).To(HaveOccurred())
			env.eventually(ctx, func(ctx context.Context) (harness.Result, error) {
				return env.node(away).Inside().Reading(target.Local).Execute(ctx, "SELECT 1")
			}).Should(HaveRows(Row(1)), "it does not run")
		}, env.patience)
	})
}
