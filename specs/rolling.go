package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

func rolling(env *environment) {
	When("all nodes are restarted one after the other", Label("suite:rolling", "fault:stop"), func() {
		It("no write of a client that retries fails", func(ctx SpecContext) {
			env.needs(3)
			env.requires(target.Stop)
			env.assumes(target.Drains)
			const writers = 6
			load := env.load(ctx, writers, env.cluster.ExecuteWithRetry)
			for node := range env.cluster.Size() {
				load.goesOn(ctx)
				env.leave(ctx, node, fault.Stop)
				load.goesOn(ctx)
				env.comeBack(ctx, node)
				env.whole(ctx)
			}
			load.goesOn(ctx)
			unknown, refused := load.verify(ctx, 2*writers*(2*env.cluster.Size()+1))
			Expect(unknown).To(BeZero(), "writes with an unknown outcome")
			Expect(refused).To(BeZero(), "writes that failed")
		}, env.patience)
	})
}
