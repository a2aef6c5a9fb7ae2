package network_test

import (
	"context"
	"net"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = DescribeTableSubtree("A link that refuses, in a network", func(k kind) {
	var w *fixture
	BeforeEach(func() { w = newFixture(k) })

	DescribeTable("resets existing connections on both sides at once",
		func(from, to string) {
			near, far := w.connect()
			here, there := read(near), read(far)
			Consistently(here, "10ms").ShouldNot(Receive())
			Expect(w.Cut(fault.Refuse, from, to)).To(Succeed())
			Eventually(here).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			Eventually(there).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			_, err := near.Write([]byte("x"))
			Expect(err).To(MatchError(syscall.ECONNRESET))
		},
		Entry("on the forward link", "a", "b"),
		Entry("on the backward link", "b", "a"),
	)

	DescribeTable("refuses dials",
		func(from, to string) {
			Expect(w.Cut(fault.Refuse, from, to)).To(Succeed())
			_, err := w.a.DialContext(context.Background(), "tcp", w.b.Addr())
			Expect(err).To(MatchError(syscall.ECONNREFUSED))
			Expect(w.Mend(from, to)).To(Succeed())
			w.connect()
		},
		Entry("on the forward link", "a", "b"),
		Entry("on the backward link", "b", "a"),
	)

	It("resets calls held by a link that drops", func() {
		near, _ := w.connect()
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		held := read(near)
		Consistently(held, "10ms").ShouldNot(Receive())
		Expect(w.Cut(fault.Refuse, "b", "a")).To(Succeed())
		Eventually(held).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
	})

	It("does not affect other links", func() {
		host(w.Network, "c")
		near, far := w.connect()
		Expect(w.Between("a", "c").Cut(fault.Refuse)).To(Succeed())
		Expect(near.Write([]byte("fine"))).To(Equal(4))
		expectText(far, "fine")
	})

	It("has no effect on dials while the opposite link drops", func() {
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		Expect(w.Cut(fault.Refuse, "b", "a")).To(Succeed())
		done := open(context.Background(), w.a, w.b.Addr())
		Consistently(done, "10ms").ShouldNot(Receive())
		Expect(w.Mend("a", "b")).To(Succeed())
		Eventually(done).Should(Receive(MatchError(syscall.ECONNREFUSED)))
	})
}, kinds)

var _ = DescribeTableSubtree("Connecting, in a network", func(k kind) {
	var w *fixture
	BeforeEach(func() { w = newFixture(k) })

	DescribeTable("waits while a link drops everything",
		func(ctx SpecContext, from, to string) {
			Expect(w.Cut(fault.Drop, from, to)).To(Succeed())
			done := open(ctx, w.a, w.b.Addr())
			Consistently(done, "20ms").ShouldNot(Receive())
			Expect(w.Mend(from, to)).To(Succeed())
			Eventually(done).Should(Receive(BeNil()))
		},
		Entry("on the forward link", "a", "b"),
		Entry("on the backward link", "b", "a"),
	)

	It("ends with its context, and names the link", func() {
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		_, err := w.a.DialContext(ctx, "tcp", w.b.Addr())
		Expect(err).To(MatchError(context.DeadlineExceeded))
		Expect(err).To(MatchError(ContainSubstring("the link from b to a is cut")))
		Expect(err.(net.Error).Timeout()).To(BeTrue())
	})

	It("is refused at once without a listener", func() {
		_, err := w.b.DialContext(context.Background(), "tcp", w.a.Addr())
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
	})

	It("fails for addresses outside the network", func() {
		_, err := w.a.DialContext(context.Background(), "tcp", "192.0.2.1:80")
		Expect(err).To(MatchError(And(ContainSubstring("192.0.2.1:80"), ContainSubstring("no host"))))
		_, err = w.a.DialContext(context.Background(), "udp", w.b.Addr())
		Expect(err).To(MatchError(net.UnknownNetworkError("udp")))
	})

	It("to the own host is never cut", func() {
		Expect(w.Cut(fault.Refuse, "b", "b")).To(Succeed())
		Expect(w.Cut(fault.Drop, "b", "b")).To(Succeed())
		Expect(w.Between("a", "b").Cut(fault.Drop)).To(Succeed())
		near := dial(w.b, w.b.Addr())
		far := accept(w.listener)
		Expect(near.Write([]byte("me"))).To(Equal(2))
		expectText(far, "me")
	})
}, kinds)
