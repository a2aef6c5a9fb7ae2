package specs

import (
	"context"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	. "github.com/rejoin-db/rejoin/harness/matchers"
	"github.com/rejoin-db/rejoin/harness/target"
)

func frozen(w *world) {
	When("the leader freezes, and wakes up when another leads", Label("suite:frozen", "fault:pause"), func() {
		It("serves no strong read that is stale by then", func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Pause)
			w.run(ctx, "CREATE TABLE {ns}.t (v TEXT); INSERT INTO {ns}.t VALUES ('old')")
			stale := 0
			for range 3 {
				w.run(ctx, "UPDATE {ns}.t SET v = 'old'")
				Expect(w.cluster.WaitForAllOnline(ctx)).To(Succeed())
				old := w.leader(ctx)
				term := statusOf(ctx, w.node(old)).Term
				w.leave(ctx, old, harness.Pause)
				w.patiently(ctx, "UPDATE {ns}.t SET v = 'new'")
				Expect(statusOf(ctx, w.node(w.leader(ctx))).Term).To(BeNumerically(">", term), "nobody else was elected")

				// Asked while it is frozen, after the change was acknowledged, so that they
				// are the first it hears when it wakes up and still thinks that it leads.
				const readers = 8
				answers := make([]harness.Result, readers)
				errs := make([]error, readers)
				var wg sync.WaitGroup
				var asked sync.WaitGroup
				asked.Add(readers)
				for i := range readers {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(ctx, longRead)
						defer cancel()
						asked.Done()
						answers[i], errs[i] = w.node(old).Reading(target.Strong).Execute(ctx, w.sql("SELECT v FROM {ns}.t"))
					})
				}
				asked.Wait()
				Expect(w.cluster.BringNodeOnline(ctx, old)).To(Succeed())
				wg.Wait()
				answered := 0
				for i := range readers {
					if errs[i] != nil {
						continue
					}
					answered++
					Expect(answers[i]).To(HaveRows(Row("new")), "a strong read was stale")
				}
				stale += readers - answered
				Expect(w.cluster.WaitForNodeOnline(ctx, old)).To(Succeed())
			}
			GinkgoWriter.Println("strong reads refused:", stale)
		}, patience)
	})
}
