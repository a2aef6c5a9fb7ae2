package virtual_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/virtual"
)

// inVirtualTime reports whether the caller is in a bubble, where time starts in the year 2000.
func inVirtualTime() bool { return time.Now().Year() < 2020 }

var _ = Describe("A bubble", virtual.Bubble(), func() {
	var begun, wall time.Time
	var done chan struct{}
	var order []string

	BeforeEach(func(ctx SpecContext) {
		begun, wall, done, order = time.Now(), outside(), make(chan struct{}), nil
		go func() { time.Sleep(time.Hour); close(done) }()
		DeferCleanup(func() {
			order = append(order, "first registered")
			Expect(inVirtualTime()).To(BeTrue())
			Expect(order).To(Equal([]string{"AfterEach", "second registered", "first registered"}))
		})
		DeferCleanup(func(ctx SpecContext) {
			order = append(order, "second registered")
			Expect(ctx.Err()).NotTo(HaveOccurred(), "a clean-up has a new context")
		})
	})

	AfterEach(func(ctx SpecContext) {
		order = append(order, "AfterEach")
		<-done // made by BeforeEach, in the same bubble
	})

	It("lets an hour pass in a moment", func(ctx SpecContext) {
		<-done
		Expect(time.Since(begun)).To(Equal(time.Hour))
		Expect(outside().Sub(wall)).To(BeNumerically("<", 10*time.Second))
	}, SpecTimeout(20*time.Second))

	It("polls in virtual time", func(ctx SpecContext) {
		var value atomic.Int32
		go func() { time.Sleep(30 * time.Minute); value.Store(7) }()
		polls := 0
		Eventually(ctx, func() int32 { polls++; return value.Load() }).
			WithTimeout(time.Hour).WithPolling(time.Minute).Should(BeEquivalentTo(7))
		Expect(polls).To(BeNumerically("~", 31, 1))
		Expect(time.Since(begun)).To(BeNumerically("~", 30*time.Minute, time.Minute))
		Consistently(ctx, value.Load).WithTimeout(time.Hour).WithPolling(time.Minute).Should(BeEquivalentTo(7))
		Expect(time.Since(begun)).To(BeNumerically("~", 90*time.Minute, time.Minute))
	})

	It("supports deadlines in virtual time", func(ctx SpecContext) {
		short, cancel := context.WithTimeout(ctx, 10*time.Hour)
		defer cancel()
		<-short.Done()
		Expect(time.Since(begun)).To(Equal(10 * time.Hour))
		Expect(ctx.Err()).NotTo(HaveOccurred())
	})

	It("keeps the context a SpecContext", func(ctx SpecContext) {
		Expect(ctx.SpecReport().LeafNodeText).To(Equal("keeps the context a SpecContext"))
		Expect(CurrentSpecReport().LeafNodeText).To(Equal("keeps the context a SpecContext"))
		detach := ctx.AttachProgressReporter(func() string { return "all is well" })
		detach()
		fmt.Fprintln(GinkgoWriter, "written in virtual time")
		Expect(CurrentSpecReport().CapturedGinkgoWriterOutput).To(ContainSubstring("written in virtual time"))
	})

	It("supports assertions in goroutines", func() {
		failures := InterceptGomegaFailures(func() {
			finished := make(chan struct{})
			go func() {
				defer GinkgoRecover()
				defer close(finished)
				Expect(inVirtualTime()).To(BeTrue())
			}()
			<-finished
		})
		Expect(failures).To(BeEmpty())
	})

	DescribeTable("runs the entries of a table",
		func(ctx SpecContext, hours int) {
			time.Sleep(time.Duration(hours) * time.Hour)
			Expect(time.Since(begun)).To(Equal(time.Duration(hours) * time.Hour))
		},
		Entry("an hour", 1), Entry("a day", 24), Entry("with a limit", SpecTimeout(20*time.Second), 2),
	)

	Describe("within another", virtual.Bubble(), func() {
		It("is the same bubble", func() {
			<-done
			Expect(time.Since(begun)).To(Equal(time.Hour))
		})
	})

	When("a spec is skipped", func() {
		It("ends normally", func() { Skip("on purpose") })
	})
})

var _ = Describe("Specs in a bubble", func() {
	Describe("in an ordered container", Ordered, virtual.Bubble(), func() {
		var begun time.Time
		var tick *time.Ticker

		BeforeAll(func() {
			begun, tick = time.Now(), time.NewTicker(time.Minute)
			DeferCleanup(func() { tick.Stop(); Expect(time.Since(begun)).To(Equal(2 * time.Minute)) })
		})
		It("share it, first", func() { <-tick.C; Expect(time.Since(begun)).To(Equal(time.Minute)) })
		It("share it, second", func() { <-tick.C; Expect(time.Since(begun)).To(Equal(2 * time.Minute)) })
	})

	Describe("in an ordered container in a bubble", virtual.Bubble(), func() {
		var each chan int
		BeforeEach(func() { each = make(chan int, 1) })
		Context("that is ordered", Ordered, func() {
			var all chan int
			BeforeAll(func() { all = make(chan int, 2) })
			It("share it, first", func() { each <- 1; all <- 1 })
			It("share it, second", func() { each <- 2; all <- 2; Expect(<-all).To(Equal(1)) })
			AfterAll(func() { Expect(<-all).To(Equal(2)) })
		})
	})

	Describe("that are decorated themselves", func() {
		BeforeEach(func() { Expect(inVirtualTime()).To(BeFalse()) })
		AfterEach(func() { Expect(inVirtualTime()).To(BeFalse()) })
		It("run in it alone, with their clean-ups", virtual.Bubble(), func() {
			Expect(inVirtualTime()).To(BeTrue())
			DeferCleanup(func() { Expect(inVirtualTime()).To(BeTrue()) })
		})
		It("do not affect others", func() {
			Expect(inVirtualTime()).To(BeFalse())
			DeferCleanup(virtual.Bubble(), func() { Expect(inVirtualTime()).To(BeTrue()) })
		})
	})

	Describe("that are retried", virtual.Bubble(), func() {
		It("start in a new bubble", MustPassRepeatedly(3), func() {
			Expect(time.Now().UTC()).To(BeTemporally("~", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Second))
			time.Sleep(time.Hour)
		})
	})
})
