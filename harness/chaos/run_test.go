package chaos_test

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/chaos"
)

var _ = Describe("Running a schedule", func() {
	BeforeEach(nothingIsLeft)

	It("finds nothing in a sound database", func(ctx SpecContext) {
		for seed := uint64(17); seed <= 17; seed++ {
			s := chaos.Draw(seed, chaos.Virtual())
			begun := time.Now()
			fmt.Println(s)
			outcome, err := inBubble(ctx, s, chaos.Options{})
			Expect(err).NotTo(HaveOccurred(), "%v", s)
			if outcome.Failure != nil {
				fmt.Println(s)
			}
			fmt.Println(outcome.Passed, time.Since(begun), outcome.Tally, outcome.Faults, outcome.Failure, len(outcome.Events), len(s.Faults))
		}
	}, patience)
})
