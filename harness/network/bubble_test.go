package network_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// bubble runs f in virtual time with hosts a and b, of which b listens, and fails if goroutines
// are left.
func bubble(t *testing.T, f func(g *WithT, n *network.Network, a *network.Host, l net.Listener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := NewWithT(t)
		n := network.Memory(1)
		defer n.Close()
		a, err := n.Host("a")
		g.Expect(err).NotTo(HaveOccurred())
		b, err := n.Host("b")
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect([]string{a.Addr(), b.Addr()}).To(Equal([]string{"10.0.0.1:1", "10.0.0.2:1"}))
		l, err := b.Listen()
		g.Expect(err).NotTo(HaveOccurred())
		f(g, n, a, l)
	})
}

func both(g *WithT, a *network.Host, l net.Listener) (near, far net.Conn) {
	near, err := a.DialContext(context.Background(), "tcp", l.Addr().String())
	g.Expect(err).NotTo(HaveOccurred())
	far, err = l.Accept()
	g.Expect(err).NotTo(HaveOccurred())
	return near, far
}

func TestLatencyIsExactInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		g.Expect(n.SetRule("a", "b", fault.Rule{Latency: 10 * time.Millisecond})).To(Succeed())
		g.Expect(n.SetRule("b", "a", fault.Rule{Latency: 5 * time.Millisecond})).To(Succeed())
		start := time.Now()
		near, far := both(g, a, l)
		g.Expect(time.Since(start)).To(Equal(15*time.Millisecond), "a handshake is one message each way")

		p := make([]byte, 8)
		for range 3 {
			start = time.Now()
			near.Write([]byte("there"))
			g.Expect(far.Read(p)).To(Equal(5))
			g.Expect(time.Since(start)).To(Equal(10 * time.Millisecond))
			far.Write([]byte("back"))
			g.Expect(near.Read(p)).To(Equal(4))
			g.Expect(time.Since(start)).To(Equal(15 * time.Millisecond))
		}
		start = time.Now()
		near.Close()
		_, err := far.Read(p)
		g.Expect(err).To(Equal(io.EOF))
		g.Expect(time.Since(start)).To(Equal(10*time.Millisecond), "a close is a message too")
	})
}

func TestJitterFollowsTheSeed(t *testing.T) {
	draw := func(seed uint64) (arrivals []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			g := NewWithT(t)
			n := network.Memory(seed)
			defer n.Close()
			a, _ := n.Host("a")
			b, _ := n.Host("b")
			l, _ := b.Listen()
			g.Expect(n.SetRule("a", "b", fault.Rule{Latency: time.Millisecond, Jitter: 9 * time.Millisecond})).To(Succeed())
			for range 2 {
				near, far := both(g, a, l)
				start := time.Now()
				for i := range 20 {
					near.Write([]byte{byte(i)})
				}
				for i := range 20 {
					p := make([]byte, 1)
					g.Expect(far.Read(p)).To(Equal(1))
					g.Expect(p[0]).To(BeEquivalentTo(i))
					arrivals = append(arrivals, time.Since(start))
				}
				near.Close()
				far.Close()
			}
		})
		return arrivals
	}
	g := NewWithT(t)
	one := draw(1)
	g.Expect(draw(1)).To(Equal(one))
	g.Expect(draw(2)).NotTo(Equal(one))
	g.Expect(one[:20]).NotTo(Equal(one[20:]), "each connection has its own sequence")
	g.Expect(one).To(HaveEach(And(BeNumerically(">=", time.Millisecond), BeNumerically("<", 10*time.Millisecond))))
}

func TestHourOfSilenceInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		start := time.Now()
		g.Expect(n.Cut(fault.Drop, "a", "b")).To(Succeed())
		near.Write([]byte("patience"))
		time.AfterFunc(time.Hour, func() { n.Mend("a", "b") })

		p := make([]byte, 8)
		far.SetReadDeadline(start.Add(time.Minute))
		_, err := far.Read(p)
		g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		g.Expect(time.Since(start)).To(Equal(time.Minute))

		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err = a.DialContext(ctx, "tcp", l.Addr().String())
		g.Expect(err).To(MatchError(context.DeadlineExceeded))
		g.Expect(time.Since(start)).To(Equal(2 * time.Minute))

		far.SetReadDeadline(time.Time{})
		g.Expect(far.Read(p)).To(Equal(8))
		g.Expect(time.Since(start)).To(Equal(time.Hour))
	})
}

func TestWriterLearnsOfCloseInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		g.Expect(n.SetRule("b", "a", fault.Rule{Latency: time.Second})).To(Succeed())
		near, far := both(g, a, l)
		start := time.Now()
		g.Expect(n.Cut(fault.Drop, "b", "a")).To(Succeed())
		far.Close()
		time.AfterFunc(time.Hour, func() { n.Mend("b", "a") })
		for {
			if _, err := near.Write(make([]byte, 1000)); err != nil {
				g.Expect(err).To(MatchError(syscall.EPIPE))
				break
			}
		}
		g.Expect(time.Since(start)).To(Equal(time.Hour), "the notice arrives when the link is mended")

		near, far = both(g, a, l)
		start = time.Now()
		far.Close()
		var err error
		for err == nil {
			_, err = near.Write(make([]byte, 1000))
		}
		g.Expect(time.Since(start)).To(Equal(time.Second), "the notice takes as long as a message")
	})
}

func TestReadersGetMessagesWhenDueInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		g.Expect(n.SetRule("a", "b", fault.Rule{Latency: time.Second})).To(Succeed())
		near, far := both(g, a, l)
		start := time.Now()
		got := make(chan time.Duration, 3)
		for range 2 { // both wait before a message is sent
			go func() {
				_, err := far.Read(make([]byte, 1))
				g.Expect(err).NotTo(HaveOccurred())
				got <- time.Since(start)
			}()
		}
		synctest.Wait()
		near.Write([]byte("a"))
		time.Sleep(100 * time.Millisecond)
		near.Write([]byte("b"))
		g.Expect(<-got).To(Equal(time.Second))
		g.Expect(<-got).To(Equal(1100 * time.Millisecond))

		start = time.Now()
		far.SetReadDeadline(start.Add(500 * time.Millisecond))
		time.AfterFunc(100*time.Millisecond, func() { near.Write([]byte("c")) })
		_, err := far.Read(make([]byte, 1))
		g.Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		g.Expect(time.Since(start)).To(Equal(500 * time.Millisecond))
		far.SetReadDeadline(start.Add(time.Hour))
		g.Expect(far.Read(make([]byte, 1))).To(Equal(1))
		g.Expect(time.Since(start)).To(Equal(1100 * time.Millisecond))
	})
}

func TestWritersWaitForReadersInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		near, far := both(g, a, l)
		start := time.Now()
		done := make(chan error)
		for _, c := range []byte("xy") { // two concurrent writers
			go func() {
				p := make([]byte, 1<<20)
				for i := range p {
					p[i] = c
				}
				_, err := near.Write(p)
				done <- err
			}()
		}
		time.Sleep(time.Minute) // virtual: both writers block by then
		got := make([]byte, 2<<20)
		for p := got; len(p) > 0; {
			n, err := far.Read(p[:min(1000, len(p))])
			g.Expect(err).NotTo(HaveOccurred())
			p = p[n:]
		}
		g.Expect(<-done).To(Succeed())
		g.Expect(<-done).To(Succeed())
		g.Expect(time.Since(start)).To(Equal(time.Minute))
		changes := 0
		for i := range got[1:] {
			if got[i] != got[i+1] {
				changes++
			}
		}
		g.Expect(changes).To(Equal(1), "each write is contiguous")
	})
}

func TestHTTPInBubble(t *testing.T) {
	bubble(t, func(g *WithT, n *network.Network, a *network.Host, l net.Listener) {
		g.Expect(n.SetRule("a", "b", fault.Rule{Latency: 10 * time.Millisecond})).To(Succeed())
		g.Expect(n.SetRule("b", "a", fault.Rule{Latency: 10 * time.Millisecond})).To(Succeed())
		server := &http.Server{Handler: http.HandlerFunc(func(r http.ResponseWriter, q *http.Request) {
			body, _ := io.ReadAll(q.Body)
			fmt.Fprintf(r, "%d bytes", len(body))
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		transport := &http.Transport{DialContext: a.DialContext}
		client := &http.Client{Transport: transport, Timeout: time.Hour}
		post := func() (string, error) {
			answer, err := client.Post("http://"+l.Addr().String(), "text/plain", http.NoBody)
			if err != nil {
				return "", err
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			return string(body), err
		}

		start := time.Now()
		g.Expect(post()).To(Equal("0 bytes"))
		g.Expect(time.Since(start)).To(Equal(40*time.Millisecond), "a handshake, a request")
		start = time.Now()
		g.Expect(post()).To(Equal("0 bytes"))
		g.Expect(time.Since(start)).To(Equal(20*time.Millisecond), "a request")

		g.Expect(n.Cut(fault.Drop, "b", "a")).To(Succeed())
		start = time.Now()
		_, err := post()
		g.Expect(err).To(MatchError(context.DeadlineExceeded))
		g.Expect(time.Since(start)).To(Equal(time.Hour))
		g.Expect(n.Mend("b", "a")).To(Succeed())
		g.Expect(post()).To(Equal("0 bytes"))

		transport.CloseIdleConnections()
		g.Expect(server.Shutdown(context.Background())).To(Succeed())
		g.Expect(<-served).To(MatchError(http.ErrServerClosed))
	})
}
