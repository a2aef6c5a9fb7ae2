package specs

import (
	. "github.com/onsi/ginkgo/v2"
)

func concurrency(env *environment) {
	When("ten clients write while nodes leave and return", Label("suite:concurrency", "fault:isolate"), func() {
		It("loses no acknowledged write and applies no failed one", func(ctx SpecContext) {
			env.needs(3)
			const writers, rounds = 10, 6
			load := env.load(ctx, writers, env.cluster.ExecuteOnRandom)
			for round := range rounds {
				victim := round % env.cluster.Size()
				env.leave(ctx, victim)
				load.goesOn(ctx)
				env.comeBack(ctx, victim)
			}
			load.verify(ctx, writers*rounds)
		}, env.patience)
	})
}
