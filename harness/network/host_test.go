package network_test

import (
	"context"
	"net"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = DescribeTableSubtree("A host, in a network", func(k kind) {
	var w *fixture
	BeforeEach(func() { w = newFixture(k) })

	It("is the same for the same name", func() {
		Expect(host(w.Network, "b")).To(BeIdenticalTo(w.b))
		Expect(w.b.Name()).To(Equal("b"))
	})

	It("keeps its address while it is down", func() {
		addr := w.b.Addr()
		Expect(w.listener.Addr().String()).To(Equal(addr))
		Expect(w.listener.Close()).To(Succeed())
		_, err := w.a.DialContext(context.Background(), "tcp", addr)
		Expect(err).To(MatchError(syscall.ECONNREFUSED))

		w.listener = listen(w.b)
		Expect(w.listener.Addr().String()).To(Equal(addr))
		near, far := w.connect()
		Expect(near.Write([]byte("back"))).To(Equal(4))
		expectText(far, "back")
	})

	It("has one listener at a time", func() {
		_, err := w.b.Listen()
		Expect(err).To(MatchError(ContainSubstring("still open")))
	})

	It("stops accepting when its listener is closed", func() {
		done := make(chan error, 1)
		go func() {
			_, err := w.listener.Accept()
			done <- err
		}()
		Expect(w.listener.Close()).To(Succeed())
		Eventually(done).Should(Receive(MatchError(net.ErrClosed)))
		Expect(w.listener.Close()).To(Succeed())
	})

	It("resets connections that were not accepted when its listener is closed", func() {
		near := dial(w.a, w.b.Addr())
		got := read(near)
		Consistently(got, "10ms").ShouldNot(Receive())
		Expect(w.listener.Close()).To(Succeed())
		Eventually(got).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
	})

	It("keeps accepted connections when its listener is closed", func() {
		near, far := w.connect()
		Expect(w.listener.Close()).To(Succeed())
		Expect(near.Write([]byte("still"))).To(Equal(5))
		expectText(far, "still")
	})

	DescribeTable("that is reset resets its connections",
		func(name string) {
			near, far := w.connect()
			here, there := read(near), read(far)
			host(w.Network, name).Reset()
			Eventually(here).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			Eventually(there).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			w.connect()
		},
		Entry("that it dialed", "a"),
		Entry("that were dialed to it", "b"),
	)

	DescribeTable("that is reset behind a link that drops everything is noticed when the link is mended",
		func(name, other string) {
			near, far := w.connect()
			ends := map[string]net.Conn{"a": near, "b": far}
			Expect(w.Cut(fault.Drop, name, other)).To(Succeed())
			here, there := read(ends[name]), read(ends[other])
			host(w.Network, name).Reset()
			Eventually(here).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			Consistently(there, "20ms").ShouldNot(Receive())
			Expect(w.Mend(name, other)).To(Succeed())
			Eventually(there).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
		},
		Entry("the dialing one", "a", "b"),
		Entry("the accepting one", "b", "a"),
	)
}, kinds)

var _ = DescribeTableSubtree("A network", func(k kind) {
	var w *fixture
	BeforeEach(func() { w = newFixture(k) })

	It("names an unknown host in errors", func() {
		Expect(w.Cut(fault.Drop, "a", "z")).To(MatchError(ContainSubstring(`no host "z"`)))
		Expect(w.SetRule("z", "a", fault.Rule{})).To(MatchError(ContainSubstring(`no host "z"`)))
		Expect(w.SetRule("a", "b", fault.Rule{Loss: 1})).To(MatchError(ContainSubstring("loss 1")))
		Expect(w.SetRule("a", "a", fault.Rule{})).To(MatchError(ContainSubstring("always reaches itself")))
		Expect(w.ResetLink("a", "z")).To(MatchError(ContainSubstring(`no host "z"`)))
		Expect(w.ResetLink("b", "b")).To(MatchError(ContainSubstring("always reaches itself")))
		Expect(w.SetDelay(-1, 0)).To(MatchError(ContainSubstring("negative")))
		Expect(w.Cut(7, "a", "b")).To(MatchError(ContainSubstring("unknown action 7")))
	})

	It("releases all blocked calls when it is closed", func() {
		near, far := w.connect()
		waiting := read(far)
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		held := read(near)
		dialing := open(context.Background(), w.a, w.b.Addr())
		Consistently(dialing, "10ms").ShouldNot(Receive())

		Expect(w.Close()).To(Succeed())
		Eventually(waiting).Should(Receive(HaveField("Err", HaveOccurred())))
		Eventually(held).Should(Receive(HaveField("Err", HaveOccurred())))
		Eventually(dialing).Should(Receive(MatchError(net.ErrClosed)))

		Expect(w.Close()).To(Succeed())
		_, err := w.b.Listen()
		Expect(err).To(MatchError(net.ErrClosed))
		_, err = w.Host("c")
		Expect(err).To(MatchError(net.ErrClosed))
		Expect(w.Cut(fault.Drop, "a", "b")).To(MatchError(net.ErrClosed))
		_, err = w.a.DialContext(context.Background(), "tcp", w.b.Addr())
		Expect(err).To(HaveOccurred())
	})

	It("releases calls held after a host's reset when it is closed", func() {
		near, _ := w.connect()
		Expect(w.Cut(fault.Drop, "b", "a")).To(Succeed())
		held := read(near)
		w.b.Reset()
		Consistently(held, "10ms").ShouldNot(Receive())
		Expect(w.Close()).To(Succeed())
		Eventually(held).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
	})
}, kinds)

var _ = Describe("A stand-alone endpoint", func() {
	It("keeps its port and can dial any address", func() {
		e, err := network.Open("127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(e.Close)
		c, err := e.DialContext(context.Background(), "tcp", e.Addr())
		if err == nil { // the kernel accepts, and the port may reset later
			_, err = c.Read(make([]byte, 1))
			c.Close()
		}
		Expect(err).To(MatchError(syscall.ECONNRESET))

		for range 2 {
			l := listen(e)
			near := dial(e, e.Addr())
			far := accept(l)
			Expect(near.Write([]byte("hello"))).To(Equal(5))
			expectText(far, "hello")
			Expect(l.Close()).To(Succeed())
		}
		_, err = network.Open(e.Addr())
		Expect(err).To(MatchError(syscall.EADDRINUSE))
	})

	It("keeps the host name of its address", func() {
		e, err := network.Open("localhost:0")
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(e.Close)
		Expect(e.Addr()).To(MatchRegexp(`^localhost:[1-9]\d*$`))
		Expect(e.Close()).To(Succeed())
		_, err = e.Listen()
		Expect(err).To(MatchError(net.ErrClosed))
	})
})
