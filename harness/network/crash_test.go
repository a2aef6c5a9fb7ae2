package network_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = DescribeTableSubtree("A crashed host, in a network", func(k kind) {
	var w *fixture
	BeforeEach(func() { w = newFixture(k) })

	DescribeTable("loses its connections and its listener, and can be revived",
		func(name, other string) {
			near, far := w.connect()
			here, there := read(near), read(far)
			h := host(w.Network, name)
			h.Crash()
			h.Crash()
			for _, end := range []<-chan outcome{here, there} {
				Eventually(end).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
			}
			crashed := And(MatchError(net.ErrClosed), MatchError(ContainSubstring("host "+name+" has crashed")))
			_, err := h.Listen()
			Expect(err).To(crashed)
			_, err = h.DialContext(context.Background(), "tcp", host(w.Network, other).Addr())
			Expect(err).To(crashed)
			_, err = host(w.Network, other).DialContext(context.Background(), "tcp", h.Addr())
			Expect(err).To(MatchError(syscall.ECONNREFUSED))

			addr := h.Addr()
			h.Revive()
			h.Revive()
			Expect(h.Addr()).To(Equal(addr))
			if name == "b" {
				Expect(w.listener.Accept()).Error().To(MatchError(net.ErrClosed))
				w.listener = listen(h)
			}
			near, far = w.connect()
			Expect(near.Write([]byte("back"))).To(Equal(4))
			expectText(far, "back")
		},
		Entry("that dials", "a", "b"),
		Entry("that listens", "b", "a"),
	)

	It("is noticed over a link that drops everything when the link is mended", func() {
		near, far := w.connect()
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		wrote, there := write(near, "never"), read(far)
		w.a.Crash()
		Eventually(wrote).Should(Receive())
		Consistently(there, "20ms").ShouldNot(Receive())
		w.a.Revive()
		Expect(w.Mend("a", "b")).To(Succeed())
		Eventually(there).Should(Receive(And(
			HaveField("Text", BeEmpty()), HaveField("Err", MatchError(syscall.ECONNRESET)))))
	})

	It("fails a waiting dial", func() {
		Expect(w.Cut(fault.Drop, "a", "b")).To(Succeed())
		done := open(context.Background(), w.a, w.b.Addr())
		Consistently(done, "10ms").ShouldNot(Receive())
		w.a.Crash()
		Eventually(done).Should(Receive(MatchError(net.ErrClosed)))
	})

	It("sends and receives nothing after the crash, during any activity", func(ctx SpecContext) {
		var (
			era   atomic.Int64 // odd while the host has certainly crashed
			heard atomic.Int64 // messages sent while it was up
			late  atomic.Int64 // messages and dials while it was down
			work  sync.WaitGroup
		)
		// b counts arrivals. A message contains the time of its write, because data sent before
		// the crash may arrive after it.
		hear := func(c net.Conn) {
			defer c.Close()
			for p := make([]byte, 1); ; {
				if _, err := c.Read(p); err != nil {
					return
				}
				if p[0]%2 == 1 {
					late.Add(1)
				}
				heard.Add(1)
			}
		}
		speak := func(c net.Conn) { // until the host fails it
			defer c.Close()
			for {
				if _, err := c.Write([]byte{byte(era.Load())}); err != nil {
					return
				}
			}
		}
		serve := func(l net.Listener, f func(net.Conn)) {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				work.Go(func() { f(c) })
			}
		}
		work.Go(func() { serve(w.listener, hear) })
		home := listen(w.a)
		work.Go(func() { serve(home, speak) })
		stop := make(chan struct{})
		for range 2 {
			for _, way := range [][2]*network.Host{{w.a, w.b}, {w.b, w.a}} {
				work.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						before := era.Load()
						c, err := way[0].DialContext(ctx, "tcp", way[1].Addr())
						if err != nil {
							continue
						}
						if before%2 == 1 && before == era.Load() {
							late.Add(1)
						}
						c.SetDeadline(time.Now().Add(time.Millisecond))
						if way[0] == w.a {
							speak(c)
						} else {
							hear(c)
						}
					}
				})
			}
		}
		for range 20 {
			now := heard.Load()
			Eventually(ctx, heard.Load).Should(BeNumerically(">", now))
			w.a.Crash()
			era.Add(1)
			Expect(w.a.Listen()).Error().To(MatchError(net.ErrClosed))
			pause(ctx, time.Millisecond)
			era.Add(1)
			w.a.Revive()
			home := listen(w.a)
			work.Go(func() { serve(home, speak) })
		}
		close(stop)
		Expect(w.Close()).To(Succeed())
		work.Wait()
		Expect(late.Load()).To(BeZero())
	}, SpecTimeout(30*time.Second))
}, kinds)
