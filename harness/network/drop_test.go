package network_test

import (
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	. "github.com/onsi/gomega/gstruct"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = DescribeTableSubtree("A link that drops everything, in a network", func(k kind) {
	var (
		w         *fixture
		near, far net.Conn
	)
	BeforeEach(func() {
		w = newFixture(k)
		near, far = w.connect()
	})

	It("holds written data and delivers it when mended", func() {
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		wrote := write(near, "held")
		expectSilence(far)
		Expect(w.Mend("a", "b")).To(Succeed())
		expectText(far, "held")
		Eventually(wrote).Should(Receive(Equal(outcome{N: 4})))
	})

	It("holds responses, and a timed-out read loses nothing", func() {
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		Expect(far.Write([]byte("an answer"))).To(Equal(9))
		expectSilence(near)
		expectSilence(near)
		Expect(w.Mend("b", "a")).To(Succeed())
		expectText(near, "an answer")
	})

	It("holds data for a reader that waited before the cut", func() {
		got := read(near)
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		Expect(far.Write([]byte("late"))).To(Equal(4))
		Consistently(got, "20ms").ShouldNot(Receive())
		Expect(w.Mend("b", "a")).To(Succeed())
		Eventually(got).Should(Receive(Equal(outcome{"late", 4, nil})))
	})

	It("loses nothing when a read times out in the middle of a response", func() {
		Expect(near.SetReadDeadline(time.Now().Add(40 * time.Millisecond))).To(Succeed())
		got := read(near)
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		Expect(far.Write([]byte("one "))).To(Equal(4))
		Eventually(got).Should(Receive(MatchFields(IgnoreExtras, Fields{
			"Text": BeEmpty(), "Err": MatchError(os.ErrDeadlineExceeded),
		})))
		Expect(far.Write([]byte("two"))).To(Equal(3))
		Expect(w.Mend("b", "a")).To(Succeed())
		expectText(near, "on")
		expectText(near, "e two")
	})

	It("affects one direction: the request arrives, the response does not", func() {
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		Expect(near.Write([]byte("ping"))).To(Equal(4))
		expectText(far, "ping")
		Expect(far.Write([]byte("pong"))).To(Equal(4))
		expectSilence(near)
		Expect(w.Mend("b", "a")).To(Succeed())
		expectText(near, "pong")
	})

	It("delivers nothing written after the cut", func() {
		for range 50 {
			Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
			Expect(far.Write([]byte("x"))).To(Equal(1))
			expectReadError(near, time.Millisecond, MatchError(os.ErrDeadlineExceeded))
			Expect(w.Mend("b", "a")).To(Succeed())
			expectText(near, "x")
		}
	})

	It("can be cut again", func() {
		pair := w.Between("a", "b")
		Expect(pair.Cut(fault.Drop)).To(Succeed())
		write(near, "held")
		Expect(far.Write([]byte("held"))).To(Equal(4))
		expectSilence(far)
		expectSilence(near)
		Expect(pair.Mend()).To(Succeed())
		expectText(far, "held")
		expectText(near, "held")
	})

	It("respects a deadline that is changed while a read is held", func() {
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		got := read(near)
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(near.SetDeadline(time.Unix(1, 0))).To(Succeed())
		var o outcome
		Eventually(got).Should(Receive(&o))
		Expect(o.Err).To(MatchError(os.ErrDeadlineExceeded))
		Expect(o.Err.(net.Error).Timeout()).To(BeTrue())
	})

	It("does not delay a local close", func() {
		Expect(w.Between("a", "b").Cut(fault.Drop)).To(Succeed())
		got, wrote := read(near), write(near, strings.Repeat("x", 1<<20))
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(near.Close()).To(Succeed())
		Eventually(got).Should(Receive(HaveField("Err", MatchError(net.ErrClosed))))
		Eventually(wrote).Should(Receive(HaveField("Err", MatchError(net.ErrClosed))))
		Expect(near.SetDeadline(time.Now())).To(MatchError(net.ErrClosed))
	})

	It("hides a close until it is mended", func() {
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		Expect(near.Close()).To(Succeed())
		expectSilence(far)
		Expect(w.Mend("a", "b")).To(Succeed())
		expectReadError(far, 5*time.Second, Equal(io.EOF))
	})

	It("hides a close of the accepting side until it is mended", func() {
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		Expect(far.Close()).To(Succeed())
		expectSilence(near)
		expectSilence(near)
		Expect(w.Mend("b", "a")).To(Succeed())
		expectReadError(near, 5*time.Second, Equal(io.EOF))
	})

	It("never delivers held data of a closed connection", func() {
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		wrote := write(near, "never")
		expectSilence(far)
		Expect(near.Close()).To(Succeed())
		Eventually(wrote).Should(Receive())
		Expect(w.Mend("a", "b")).To(Succeed())
		expectReadError(far, 5*time.Second, Or(Equal(io.EOF), MatchError(syscall.ECONNRESET)))
	})

	It("delivers a half-close when it is mended", func() {
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		Expect(near.(interface{ CloseWrite() error }).CloseWrite()).To(Succeed())
		expectSilence(far)
		Expect(w.MendAll).NotTo(Panic())
		expectReadError(far, 5*time.Second, Equal(io.EOF))
		Expect(far.Write([]byte("still open"))).To(Equal(10))
		expectText(near, "still open")
		_, err := near.Write([]byte("x"))
		Expect(err).To(MatchError(syscall.EPIPE))
	})
}, kinds)

var _ = DescribeTable("A write that is held until its deadline returns the number of accepted bytes",
	func(k kind, taken int) {
		w := newFixture(k)
		near, far := w.connect()
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		Expect(near.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))).To(Succeed())
		n, err := near.Write(make([]byte, 1<<20))
		Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		Expect(n).To(Equal(taken))
		expectSilence(far)
	},
	Entry("over sockets", sockets, 0),
	Entry("over slow sockets", carried, 256<<10),
	Entry("in memory", memory, 256<<10),
)
