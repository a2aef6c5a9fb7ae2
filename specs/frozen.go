package specs

import (
	"context"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/fault"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func frozen(env *environment) {
	When("a leader is paused and resumes after another was elected", Label("suite:frozen", "fault:pause"), func() {
		It("serves no stale strong read", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Pause)
			env.run(ctx, "CREATE TABLE {ns}.t (v TEXT); INSERT INTO {ns}.t VALUES ('old')")
			stale := 0
			for range 3 {
				env.run(ctx, "UPDATE {ns}.t SET v = 'old'")
				Expect(env.cluster.WaitForAllOnline(ctx)).To(Succeed())
				old := env.leader(ctx)
				term := statusOf(ctx, env.node(old)).Term
				env.leave(ctx, old, fault.Pause)
				env.patiently(ctx, "UPDATE {ns}.t SET v = 'new'")
				Expect(statusOf(ctx, env.node(env.leader(ctx))).Term).To(BeNumerically(">", term), "no other leader was elected")

				// Sent while it is paused, after the change was acknowledged, so that it receives
				// them first when it resumes and still believes that it leads.
				const readers = 8
				answers := make([]harness.Result, readers)
				errs := make([]error, readers)
				var wg sync.WaitGroup
				var asked sync.WaitGroup
				asked.Add(readers)
				for i := range readers {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(ctx, env.pace.read())
						defer cancel()
						asked.Done()
						answers[i], errs[i] = env.node(old).Reading(target.Strong).Execute(ctx, env.sql("SELECT v FROM {ns}.t"))
					})
				}
				asked.Wait()
				Expect(env.cluster.BringNodeOnline(ctx, old)).To(Succeed())
				wg.Wait()
				answered := 0
				for i := range readers {
					if errs[i] != nil {
						continue
					}
					answered++
					env.judges(ctx, target.Recency)
					Expect(answers[i]).To(HaveRows(Row("new")), "a strong read was stale")
					env.judges(ctx)
				}
				stale += readers - answered
				Expect(env.cluster.WaitForNodeOnline(ctx, old)).To(Succeed())
			}
			GinkgoWriter.Println("strong reads refused:", stale)
		}, env.patience)
	})
}
