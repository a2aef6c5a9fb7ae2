package proc_test

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target/proc"
)

var _ = Describe("Until", func() {
	It("ends with what it waits for, or with the last error", func(ctx SpecContext) {
		tries := 0
		Expect(proc.Until(ctx, func(context.Context) error {
			if tries++; tries < 3 {
				return errors.New("not yet")
			}
			return nil
		})).To(Succeed())
		Expect(tries).To(Equal(3))
		ending, cancel := context.WithCancelCause(ctx)
		last, why := errors.New("never"), errors.New("enough")
		err := proc.Until(ending, func(context.Context) error { cancel(why); return last })
		Expect(err).To(And(MatchError(why), MatchError(last)))
	})
})
