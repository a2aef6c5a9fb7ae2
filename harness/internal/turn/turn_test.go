package turn_test

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/turn"
)

func TestTurn(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Turn")
}

var _ = Describe("A turn", func() {
	enough := errors.New("enough")

	It("is for one at a time", func(ctx SpecContext) {
		t := turn.New()
		Expect(t.Take(ctx)).To(Succeed())
		next := make(chan struct{})
		go func() { t.Seize(); close(next) }()
		Consistently(next, "10ms", "1ms").ShouldNot(BeClosed())
		t.Pass()
		Eventually(ctx, next).Should(BeClosed())
	})

	It("is waited for no longer than a context lasts, and not at all after it", func(ctx SpecContext) {
		t := turn.New()
		t.Seize()
		waiting, stop := context.WithCancelCause(ctx)
		waited := make(chan error)
		go func() { waited <- t.Take(waiting) }()
		Consistently(waited, "10ms", "1ms").ShouldNot(Receive())
		stop(enough)
		Eventually(ctx, waited).Should(Receive(MatchError(enough)))
		t.Pass()
		for range 100 { // a free one is not chosen now and then
			Expect(t.Take(waiting)).To(MatchError(enough))
		}
	})
})
