package ctxmutex_test

import (
	"context"
	"errors"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
)

func TestMutex(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Mutex")
}

var _ = Describe("A mutex", func() {
	enough := errors.New("enough")

	It("is for one at a time", func(ctx SpecContext) {
		m := ctxmutex.New()
		Expect(m.Lock(ctx)).To(Succeed())
		next := make(chan struct{})
		go func() { m.LockNow(); close(next) }()
		Consistently(next, "10ms", "1ms").ShouldNot(BeClosed())
		m.Unlock()
		Eventually(ctx, next).Should(BeClosed())
	})

	It("is waited for no longer than a context lasts, and not at all after it", func(ctx SpecContext) {
		m := ctxmutex.New()
		m.LockNow()
		waiting, stop := context.WithCancelCause(ctx)
		waited := make(chan error)
		go func() { waited <- m.Lock(waiting) }()
		Consistently(waited, "10ms", "1ms").ShouldNot(Receive())
		stop(enough)
		Eventually(ctx, waited).Should(Receive(MatchError(enough)))
		m.Unlock()
		for range 100 { // a free one is not chosen now and then
			Expect(m.Lock(waiting)).To(MatchError(enough))
		}
	})
})
