package specs

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/target"
)

func rolling(w *world) {
	When("all nodes are restarted, one after the other", Label("suite:rolling", "fault:stop"), func() {
		It("fails no write of a client that sends again what was not answered", func(ctx SpecContext) {
			w.needs(3)
			w.requires(target.Stop)
			const writers = 6
			load := w.load(ctx, writers, w.cluster.ExecuteWithRetry)
			for node := range w.cluster.Size() {
				load.goesOn(ctx)
				w.leave(ctx, node, harness.Stop)
				load.goesOn(ctx)
				w.comeBack(ctx, node)
			}
			load.goesOn(ctx)
			unknown, refused := load.verify(ctx, 2*writers*(2*w.cluster.Size()+1))
			Expect(unknown).To(BeZero(), "writes of which nobody knows what became of them")
			Expect(refused).To(BeZero(), "writes that failed")
		}, patience)
	})
}
