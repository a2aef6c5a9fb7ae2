package specs

import (
	. "github.com/onsi/ginkgo/v2"
)

func concurrency(w *world) {
	When("ten writers write while nodes leave and return", Label("suite:concurrency", "fault:isolate"), func() {
		It("loses no acknowledged write, and keeps none that surely failed", func(ctx SpecContext) {
			w.needs(3)
			const writers, rounds = 10, 6
			load := w.load(ctx, writers, w.cluster.ExecuteOnRandom)
			for round := range rounds {
				victim := round % w.cluster.Size()
				w.leave(ctx, victim)
				load.goesOn(ctx)
				w.comeBack(ctx, victim)
			}
			load.verify(ctx, writers*rounds)
		}, patience)
	})
}
