package network_test

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// arrivals sends messages of a size at once, and returns when each was received.
func arrivals(g *WithT, near, far net.Conn, messages, size int) []time.Duration {
	start := time.Now()
	all := make([]time.Duration, messages)
	for range all {
		g.Expect(near.Write(make([]byte, size))).To(Equal(size))
	}
	for i := range all {
		_, err := io.ReadFull(far, make([]byte, size))
		g.Expect(err).NotTo(HaveOccurred())
		all[i] = time.Since(start)
	}
	return all
}

func TestNetworkDelayAddsToLinkDelayInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		g.Expect(n.SetDelay(3*time.Millisecond, 0)).To(Succeed())
		g.Expect(n.SetRule("a", "b", fault.Rule{Latency: 2 * time.Millisecond})).To(Succeed())
		g.Expect(arrivals(g, near, far, 1, 1)).To(Equal([]time.Duration{5 * time.Millisecond}))
		g.Expect(arrivals(g, far, near, 1, 1)).To(Equal([]time.Duration{3 * time.Millisecond}))

		n.MendAll()
		g.Expect(n.Rule("a", "b")).To(Equal(fault.Rule{}))
		g.Expect(arrivals(g, near, far, 1, 1)).To(Equal([]time.Duration{3 * time.Millisecond}))

		c, err := n.Host("c")
		g.Expect(err).NotTo(HaveOccurred())
		start := time.Now()
		both(g, c, l)
		g.Expect(time.Since(start)).To(Equal(6*time.Millisecond), "also for hosts created later")

		b, err := n.Host("b")
		g.Expect(err).NotTo(HaveOccurred())
		near, far = both(g, b, l)
		g.Expect(arrivals(g, near, far, 1, 1)).To(Equal([]time.Duration{0}), "a host to itself")
	})
}

func TestLossIsDelayInBubble(t *testing.T) {
	draw := func(seed uint64) (all []time.Duration, stats fault.LinkStats) {
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			n := network.Memory(seed)
			defer n.Close()
			a, _ := n.Host("a")
			b, _ := n.Host("b")
			l, _ := b.Listen()
			near, far := both(g, a, l)
			g.Expect(n.SetRule("a", "b", fault.Rule{Loss: 0.5})).To(Succeed())
			for range 200 {
				all = append(all, arrivals(g, near, far, 1, 10)...)
			}
			stats, _ = n.Stats("a", "b")
		})
		return all, stats
	}
	g := NewWithT(t)
	one, stats := draw(1)
	again, _ := draw(1)
	g.Expect(again).To(Equal(one))
	other, _ := draw(2)
	g.Expect(other).NotTo(Equal(one))

	times := map[time.Duration]int{}
	sent := uint64(0) // retransmissions, derived from the delays
	for _, d := range one {
		times[d]++
		for wait := network.Retransmit; d > 0; wait *= 2 {
			d -= wait
			sent++
		}
		g.Expect(d).To(BeZero(), "every delay is twice the previous one")
	}
	g.Expect(times[0]).To(BeNumerically("~", 100, 30))
	g.Expect(times[network.Retransmit]).To(BeNumerically("~", 50, 25))
	g.Expect(times[3*network.Retransmit]).To(BeNumerically("~", 25, 20))
	g.Expect(stats).To(Equal(fault.LinkStats{Messages: 200, Bytes: 2000, Lost: sent}))
}

func TestLossKeepsOrderInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		g.Expect(n.SetRule("a", "b", fault.Rule{Loss: 0.3, Jitter: time.Second})).To(Succeed())
		for i := range 100 {
			near.Write([]byte{byte(i)})
		}
		near.Close()
		got, err := io.ReadAll(far)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(got).To(HaveLen(100))
		for i, b := range got {
			g.Expect(b).To(BeEquivalentTo(i))
		}
	})
}

func TestBandwidthIsSharedInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		other, otherFar := both(g, a, l)
		g.Expect(n.SetRule("a", "b", fault.Rule{Bandwidth: 1000, Latency: 5 * time.Millisecond})).To(Succeed())
		g.Expect(arrivals(g, near, far, 3, 100)).To(Equal([]time.Duration{
			105 * time.Millisecond, 205 * time.Millisecond, 305 * time.Millisecond,
		}))
		g.Expect(arrivals(g, far, near, 1, 100)).To(Equal([]time.Duration{0}), "the opposite direction is a separate link")

		near.Write(make([]byte, 500))
		g.Expect(arrivals(g, other, otherFar, 1, 100)[0]).To(BeNumerically("~", 600*time.Millisecond, 10*time.Millisecond))
		g.Expect(io.ReadFull(far, make([]byte, 500))).To(Equal(500))
	})
}

func TestBetterRuleAffectsMessagesInFlightInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		slow := fault.Rule{Latency: time.Hour, Bandwidth: 1}
		g.Expect(n.SetRule("a", "b", slow)).To(Succeed())
		start := time.Now()
		near.Write([]byte("first"))
		time.AfterFunc(time.Minute, func() { n.SetRule("a", "b", fault.Rule{Latency: time.Second}) })
		p := make([]byte, 8)
		g.Expect(far.Read(p)).To(Equal(5))
		g.Expect(time.Since(start)).To(Equal(time.Minute + time.Second))

		start = time.Now()
		near.Write([]byte("second"))
		g.Expect(n.SetRule("a", "b", slow)).To(Succeed())
		g.Expect(far.Read(p)).To(Equal(6))
		g.Expect(time.Since(start)).To(Equal(time.Second), "a worse rule does not")

		g.Expect(n.SetRule("b", "a", slow)).To(Succeed())
		far.Close()
		start = time.Now()
		time.AfterFunc(time.Minute, n.MendAll)
		_, err := near.Read(p)
		g.Expect(err).To(Equal(io.EOF))
		g.Expect(time.Since(start)).To(Equal(time.Minute), "a close is a message")
		_, err = near.Write(p)
		g.Expect(err).To(MatchError(syscall.EPIPE))

		g.Expect(n.SetRule("b", "a", slow)).To(Succeed())
		start = time.Now()
		time.AfterFunc(time.Minute, n.MendAll)
		both(g, a, l)
		g.Expect(time.Since(start)).To(Equal(time.Minute), "and so is a handshake")
	})
}

func TestSlowLinkThatIsCutInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		g.Expect(n.SetRule("a", "b", fault.Rule{Latency: time.Minute})).To(Succeed())
		start := time.Now()
		near.Write([]byte("held"))
		g.Expect(n.Cut(fault.Drop, "a", "b")).To(Succeed())
		g.Expect(n.Rule("a", "b")).To(Equal(fault.Rule{Action: fault.Drop, Latency: time.Minute}))
		time.AfterFunc(time.Hour, func() { n.Mend("a", "b") })
		p := make([]byte, 8)
		far.SetReadDeadline(start.Add(time.Hour - 1))
		_, err := far.Read(p)
		g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		g.Expect(n.Stats("a", "b")).To(Equal(fault.LinkStats{}), "nothing was delivered")
		far.SetReadDeadline(time.Time{})
		g.Expect(far.Read(p)).To(Equal(4))
		g.Expect(time.Since(start)).To(Equal(time.Hour))
		g.Expect(n.Stats("a", "b")).To(Equal(fault.LinkStats{Messages: 1, Bytes: 4}))
	})
}

func TestResetWaitsUntilLinkIsUpInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		g.Expect(n.ResetLink("a", "b")).To(Succeed())
		g.Expect(n.Cut(fault.Drop, "a", "b")).To(Succeed())
		g.Expect(near.Write([]byte("held"))).To(Equal(4))
		g.Expect(n.Mend("a", "b")).To(Succeed())
		sent, err := near.Write([]byte("halved"))
		g.Expect(sent).To(Equal(3))
		g.Expect(err).To(MatchError(syscall.ECONNRESET))
		got, err := io.ReadAll(far)
		g.Expect(string(got)).To(Equal("heldhal"))
		g.Expect(err).To(MatchError(syscall.ECONNRESET))
	})
}

func TestCrashEndsDialInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		g.Expect(n.SetDelay(time.Hour, 0)).To(Succeed())
		start := time.Now()
		time.AfterFunc(time.Minute, a.Crash)
		_, err := a.DialContext(context.Background(), "tcp", l.Addr().String())
		g.Expect(err).To(MatchError(net.ErrClosed))
		g.Expect(time.Since(start)).To(Equal(time.Minute))

		a.Revive()
		b, _ := n.Host("b")
		time.AfterFunc(time.Minute, func() { b.Crash(); b.Revive() })
		_, err = a.DialContext(context.Background(), "tcp", l.Addr().String())
		g.Expect(err).To(MatchError(syscall.ECONNREFUSED), "its listener was closed")
	})
}

// TestCrashIsFinalInBubble crashes a host while its node constantly writes and dials.
func TestCrashIsFinalInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		g.Expect(n.SetDelay(time.Millisecond, time.Millisecond)).To(Succeed())
		near, far := both(g, a, l)
		ended := make(chan error, 2)
		go func() {
			for {
				if _, err := near.Write(make([]byte, 1000)); err != nil {
					ended <- err
					return
				}
				time.Sleep(time.Microsecond)
			}
		}()
		go func() {
			for {
				if _, err := a.DialContext(context.Background(), "tcp", l.Addr().String()); err != nil {
					ended <- err
					return
				}
			}
		}()
		time.AfterFunc(100*time.Millisecond, a.Crash)
		start := time.Now()
		_, err := io.Copy(io.Discard, far)
		g.Expect(err).To(MatchError(syscall.ECONNRESET))
		g.Expect(time.Since(start)).To(BeNumerically("~", 101*time.Millisecond, 2*time.Millisecond))
		for range 2 {
			g.Expect(<-ended).To(Or(MatchError(net.ErrClosed), MatchError(syscall.ECONNRESET)))
		}
		_, err = a.Listen()
		g.Expect(err).To(MatchError(net.ErrClosed))
	})
}

func TestDialIsRefusedByALinkThatRefusedMeanwhileInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		for _, link := range [][2]string{{"a", "b"}, {"b", "a"}} {
			g.Expect(n.SetRule("a", "b", fault.Rule{Latency: time.Second})).To(Succeed())
			dialed := make(chan error, 1)
			go func() {
				_, err := a.DialContext(context.Background(), "tcp", l.Addr().String())
				dialed <- err
			}()
			synctest.Wait() // the dial waits for the latency
			g.Expect(n.Cut(fault.Refuse, link[0], link[1])).To(Succeed())
			g.Expect(n.Mend(link[0], link[1])).To(Succeed())
			g.Expect(<-dialed).To(MatchError(syscall.ECONNREFUSED))
			n.MendAll()
		}
	})
}
