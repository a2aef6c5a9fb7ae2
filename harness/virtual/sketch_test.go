package virtual_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/rejoin-db/rejoin/harness/virtual"
)

func TestVirtual(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Virtual")
}

var _ = Describe("a spec in virtual time", virtual.Bubble(), func() {
	var begun time.Time
	var value int
	var done chan struct{}

	BeforeEach(func(ctx SpecContext) {
		begun, value, done = time.Now(), 0, make(chan struct{})
		go func() { time.Sleep(time.Hour); value = 7; close(done) }()
	})

	It("waits an hour at once", func(ctx SpecContext) {
		Eventually(ctx, func() int { return value }).
			WithTimeout(2 * time.Hour).WithPolling(time.Minute).Should(Equal(7))
		Expect(time.Since(begun)).To(BeNumerically(">=", time.Hour))
	}, SpecTimeout(time.Second))
	It("fails", func(ctx SpecContext) {
		Expect(1).To(Equal(2))
	})
	It("panics", func(ctx SpecContext) {
		panic("boom")
	})
	It("leaks", func(ctx SpecContext) {
		go func() { select {} }()
	})
	It("hangs till cut", func(ctx SpecContext) {
		go func() {
			for ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
		}()
		<-ctx.Done()
	}, SpecTimeout(time.Second))
	It("hangs for good", func(ctx SpecContext) {
		<-make(chan int)
	}, SpecTimeout(time.Second))
	It("hangs for good in real", func(ctx SpecContext) {
		go func() {
			for {
				time.Sleep(time.Millisecond)
			}
		}()
		<-make(chan int)
	}, SpecTimeout(time.Second))

	AfterEach(func(ctx SpecContext) { <-done })
})
