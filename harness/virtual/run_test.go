package virtual_test

import (
	"context"
	"errors"
	"runtime"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/virtual"
)

var _ = Describe("A bubble outside of Ginkgo", func() {
	const soon = SpecTimeout(30 * time.Second)

	It("lets an hour pass in a moment, and leaves nothing behind", func(ctx SpecContext) {
		before := gleak.Goroutines()
		begun, passed := time.Now(), time.Duration(0)
		Expect(virtual.Run(ctx, func(ctx context.Context) {
			inside := time.Now()
			short, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-short.Done()
			passed = time.Since(inside)
		})).To(Succeed())
		Expect(passed).To(Equal(time.Hour))
		Expect(time.Since(begun)).To(BeNumerically("<", 10*time.Second))
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
	}, soon)

	It("ends with the outer context", func(ctx SpecContext) {
		stop := errors.New("enough")
		outer, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(20*time.Millisecond, func() { cancel(stop) })
		var cause error
		Expect(virtual.Run(outer, func(ctx context.Context) {
			every := time.NewTicker(time.Second)
			defer every.Stop()
			for ctx.Err() == nil {
				<-every.C
			}
			cause = context.Cause(ctx)
		}, virtual.Limit(100*365*24*time.Hour))).To(Succeed())
		Expect(cause).To(MatchError(stop))
	}, soon)

	DescribeTable("returns an error for", func(ctx SpecContext, body func(context.Context), matcher OmegaMatcher) {
		Expect(virtual.Run(ctx, body, virtual.Limit(time.Hour))).To(MatchError(matcher))
	},
		Entry("a panic", soon, func(context.Context) { panic("no luck") }, ContainSubstring("the body panicked: no luck")),
		Entry("a Goexit", soon, func(context.Context) { runtime.Goexit() }, ContainSubstring("runtime.Goexit")),
		Entry("a goroutine that is left", soon, func(ctx context.Context) { go func() { select {} }() },
			ContainSubstring("1 goroutine was left in the bubble")),
		Entry("a wait that never ends", soon, func(ctx context.Context) { select {} }, ContainSubstring("the node has not ended")),
	)

	It("does not open a bubble in a bubble", func(ctx SpecContext) {
		Expect(virtual.Run(ctx, func(ctx context.Context) {
			if err := virtual.Run(ctx, func(context.Context) {}); err == nil {
				panic("it opened one")
			}
		})).To(Succeed())
	}, soon)
})
