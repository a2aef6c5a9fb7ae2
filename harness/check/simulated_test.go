package check_test

import (
	"math/rand/v2"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

var _ = Describe("Histories that are simulated, and so are right", func() {
	It("are never accused", func() {
		for seed := range uint64(60) {
			h := simulated(rand.New(rand.NewPCG(seed, 1)), 8, 300, 3)
			Expect(check.Linearizable(h)).To(Succeed(), "seed %d", seed)
		}
	})

	It("are accused when one read is changed to what was overwritten long ago", func() {
		for seed := range uint64(30) {
			h := simulated(rand.New(rand.NewPCG(seed, 1)), 8, 300, 1)
			for i := len(h) - 1; ; i-- {
				if s := &h[i].Op.Steps[0]; s.Do == journal.Read && len(s.Got) == 1 {
					s.Got = []int64{}
					break
				}
			}
			Expect(check.Linearizable(h)).NotTo(Succeed(), "seed %d", seed)
		}
	})
})
