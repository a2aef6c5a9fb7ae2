package network_test

import (
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = DescribeTableSubtree("A link's rule, in a network", func(k kind) {
	const lag = 20 * time.Millisecond
	var w *fixture
	BeforeEach(func() { w = newFixture(k) })

	// roundTrip returns the duration of a round trip over an existing connection.
	roundTrip := func(near, far net.Conn) time.Duration {
		GinkgoHelper()
		start := time.Now()
		Expect(near.Write([]byte("there"))).To(Equal(5))
		expectText(far, "there")
		Expect(far.Write([]byte("back"))).To(Equal(4))
		expectText(near, "back")
		return time.Since(start)
	}

	It("affects both directions and dials, and changes at once", func() {
		near, far := w.connect()
		Expect(roundTrip(near, far)).To(BeNumerically("<", lag))
		Expect(w.SetRule("a", "b", fault.Rule{Latency: lag, Jitter: lag})).To(Succeed())
		Expect(roundTrip(near, far)).To(BeNumerically(">=", lag))
		Expect(w.SetRule("b", "a", fault.Rule{Latency: lag})).To(Succeed())
		Expect(roundTrip(near, far)).To(BeNumerically(">=", 2*lag))
		start := time.Now()
		near2, far2 := w.connect()
		Expect(time.Since(start)).To(BeNumerically(">=", 2*lag))
		w.MendAll()
		Eventually(func() time.Duration { return roundTrip(near, far) }).Should(BeNumerically("<", lag))
		Eventually(func() time.Duration { return roundTrip(near2, far2) }).Should(BeNumerically("<", lag))
	})

	It("can be read back", func() {
		rule := fault.Rule{Action: fault.Drop, Latency: 1, Jitter: 2, Loss: 0.5, Bandwidth: 3}
		Expect(w.SetRule("a", "b", rule)).To(Succeed())
		Expect(w.Rule("a", "b")).To(Equal(rule))
		Expect(w.Rule("b", "a")).To(Equal(fault.Rule{}))
		Expect(w.Mend("a", "b")).To(Succeed())
		rule.Action = fault.Pass
		Expect(w.Rule("a", "b")).To(Equal(rule))
		w.MendAll()
		Expect(w.Rule("a", "b")).To(Equal(fault.Rule{}))
	})

	It("affects a read that waited before", func() {
		near, far := w.connect()
		got := read(near)
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(w.SetRule("b", "a", fault.Rule{Latency: time.Hour})).To(Succeed())
		Expect(far.Write([]byte("late"))).To(Equal(4))
		Consistently(got, "20ms").ShouldNot(Receive())
		Expect(w.SetRule("b", "a", fault.Rule{})).To(Succeed())
		Eventually(got).Should(Receive(Equal(outcome{"late", 4, nil})))
	})

	It("does not affect deadlines", func() {
		near, far := w.connect()
		Expect(near.SetDeadline(time.Now().Add(time.Hour))).To(Succeed())
		Expect(w.SetRule("a", "b", fault.Rule{Latency: 2 * lag})).To(Succeed())
		Expect(w.SetRule("b", "a", fault.Rule{Latency: 2 * lag})).To(Succeed())
		expectSilence(near)
		Expect(near.SetWriteDeadline(time.Now().Add(lag / 2))).To(Succeed())
		Expect(near.Write([]byte("sent"))).To(Equal(4))
		expectText(far, "sent")
		Expect(far.Write([]byte("answered"))).To(Equal(8))
		expectText(near, "answered")
	})

	It("does not delay a bulk transfer once per message", func() {
		near, far := w.connect()
		Expect(w.SetRule("a", "b", fault.Rule{Latency: lag})).To(Succeed())
		Expect(w.SetRule("b", "a", fault.Rule{Latency: lag})).To(Succeed())
		const pieces, size = 400, 4 << 10
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			start := time.Now()
			go func() {
				for range pieces {
					way[0].Write(make([]byte, size))
				}
			}()
			_, err := io.ReadFull(way[1], make([]byte, pieces*size))
			Expect(err).NotTo(HaveOccurred())
			Expect(time.Since(start)).To(And(BeNumerically(">=", lag), BeNumerically("<", pieces*lag/4)))
		}
	})

	It("delays data written before a close, and the close", func() {
		near, far := w.connect()
		Expect(w.SetRule("a", "b", fault.Rule{Latency: lag})).To(Succeed())
		start := time.Now()
		Expect(near.Write([]byte("bye"))).To(Equal(3))
		Expect(near.Close()).To(Succeed())
		expectText(far, "bye")
		Expect(time.Since(start)).To(BeNumerically(">=", lag))
		expectReadError(far, 5*time.Second, Equal(io.EOF))

		near, far = w.connect()
		start = time.Now()
		Expect(near.Close()).To(Succeed())
		expectReadError(far, 5*time.Second, Equal(io.EOF))
		Expect(time.Since(start)).To(BeNumerically(">=", lag), "for an unused connection")
	})

	It("permits a close after a half-close", func() {
		near, far := w.connect()
		Expect(w.SetDelay(time.Microsecond, 0)).To(Succeed())
		Expect(near.(interface{ CloseWrite() error }).CloseWrite()).To(Succeed())
		expectReadError(far, 5*time.Second, Equal(io.EOF))
		Expect(far.Write([]byte("answer"))).To(Equal(6))
		expectText(near, "answer")
		Expect(near.Close()).To(Succeed())
		Eventually(func() error {
			_, err := far.Write([]byte("anybody?"))
			return err
		}).Should(Or(MatchError(syscall.EPIPE), MatchError(syscall.ECONNRESET)))
	})

	It("limits the bandwidth of all connections together", func() {
		Expect(w.SetRule("a", "b", fault.Rule{Bandwidth: 100_000})).To(Succeed())
		start := time.Now()
		var ends []net.Conn
		for range 2 {
			near, far := w.connect()
			Expect(near.Write(make([]byte, 5000))).To(Equal(5000))
			ends = append(ends, far)
		}
		for _, far := range ends {
			_, err := io.ReadFull(far, make([]byte, 5000))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(time.Since(start)).To(BeNumerically(">=", 100*time.Millisecond))
	})

	It("counts losses and delivered bytes", func() {
		near, far := w.connect()
		Expect(w.SetRule("a", "b", fault.Rule{Loss: 0.999})).To(Succeed())
		Expect(near.Write([]byte("lost"))).To(Equal(4))
		expectSilence(far)
		stats := func() fault.LinkStats {
			GinkgoHelper()
			s, err := w.Stats("a", "b")
			Expect(err).NotTo(HaveOccurred())
			return s
		}
		Expect(stats()).To(And(HaveField("Bytes", BeZero()), HaveField("Lost", BeNumerically(">", 0))))
		w.MendAll()
		expectText(far, "lost")
		Expect(stats()).To(And(HaveField("Bytes", BeEquivalentTo(4)), HaveField("Messages", BeEquivalentTo(1))))
		Expect(far.Write([]byte("answer"))).To(Equal(6))
		expectText(near, "answer")
		Expect(w.Stats("b", "a")).To(HaveField("Bytes", BeEquivalentTo(6)))
		_, err := w.Stats("a", "z")
		Expect(err).To(MatchError(ContainSubstring(`no host "z"`)))
	})
}, kinds)

var _ = DescribeTableSubtree("ResetLink, in a network", func(k kind) {
	const text = "0123456789"
	var (
		w         *fixture
		near, far net.Conn
	)
	BeforeEach(func() {
		w = newFixture(k)
		near, far = w.connect()
	})

	DescribeTable("delivers half of the next message and resets its connection",
		func(from, to string) {
			ends := map[string]net.Conn{"a": near, "b": far}
			Expect(ends[from].Write([]byte("whole"))).To(Equal(5))
			expectText(ends[to], "whole")
			Expect(w.ResetLink(from, to)).To(Succeed())
			ends[from].Write([]byte(text))
			expectText(ends[to], text[:5])
			for _, c := range ends {
				Eventually(read(c)).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			}
			Expect(w.Stats(from, to)).To(HaveField("Resets", BeEquivalentTo(1)))

			near, far = w.connect() // one message only
			Expect(near.Write([]byte(text))).To(Equal(10))
			expectText(far, text)
			Expect(far.Write([]byte(text))).To(Equal(10))
			expectText(near, text)
		},
		Entry("on the forward link", "a", "b"),
		Entry("on the backward link", "b", "a"),
	)

	It("affects a message for a waiting reader", func() {
		got := read(near)
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(w.ResetLink("b", "a")).To(Succeed())
		far.Write([]byte(text))
		Eventually(got).Should(Receive(Equal(outcome{text[:5], 5, nil})))
		expectReadError(near, 5*time.Second, MatchError(syscall.ECONNRESET))
	})

	It("affects a message that is larger than the window", func() {
		Expect(w.ResetLink("a", "b")).To(Succeed())
		large := strings.Repeat("x", 1<<20)
		wrote := write(near, large)
		got, err := io.ReadAll(far)
		Expect(err).To(MatchError(syscall.ECONNRESET))
		Expect(len(got)).To(And(BeNumerically(">", 0), BeNumerically("<=", len(large)/2)))
		Eventually(wrote).Should(Receive(And(
			HaveField("N", BeNumerically("<=", len(large)/2)), HaveField("Err", MatchError(syscall.ECONNRESET)))))
	})

	It("waits until the link is up", func() {
		Expect(w.ResetLink("a", "b")).To(Succeed())
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		Expect(near.Close()).To(Succeed())
		Expect(w.Mend("a", "b")).To(Succeed())
		near, far = w.connect()
		near.Write([]byte(text))
		expectText(far, text[:5])
		expectReadError(far, 5*time.Second, MatchError(syscall.ECONNRESET))
	})

	It("is cancelled by MendAll", func() {
		Expect(w.ResetLink("a", "b")).To(Succeed())
		w.MendAll()
		Expect(near.Write([]byte(text))).To(Equal(10))
		expectText(far, text)
	})
}, kinds)
