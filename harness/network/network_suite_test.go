package network_test

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/network"
)

func TestNetwork(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Network")
}

// kind is one kind of network. All specs of a table hold for each.
type kind struct {
	open func() *network.Network
	slow bool // with a negligible delay, so that connections are routed through memory
}

var (
	sockets = kind{open: network.TCP}
	carried = kind{open: network.TCP, slow: true}
	memory  = kind{open: func() *network.Network { return network.Memory(uint64(GinkgoRandomSeed())) }}
	kinds   = []TableEntry{
		Entry("of sockets", sockets),
		Entry("of slow sockets", carried),
		Entry("in memory", memory),
	}
)

// fixture is a network with two hosts, of which b listens.
type fixture struct {
	*network.Network
	a, b     *network.Host
	listener net.Listener
}

// newFixture returns a network that is closed after the spec, and checks for leaked goroutines.
func newFixture(k kind) *fixture {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before))
	})
	w := &fixture{Network: k.open()}
	DeferCleanup(w.Network.Close)
	w.a, w.b = host(w.Network, "a"), host(w.Network, "b")
	if k.slow {
		Expect(w.SetDelay(time.Microsecond, time.Microsecond)).To(Succeed())
	}
	w.listener = listen(w.b)
	return w
}

func host(n *network.Network, name string) *network.Host {
	GinkgoHelper()
	h, err := n.Host(name)
	Expect(err).NotTo(HaveOccurred())
	return h
}

func listen(e network.Endpoint) net.Listener {
	GinkgoHelper()
	l, err := e.Listen()
	Expect(err).NotTo(HaveOccurred())
	return l
}

// connect dials from a to b and returns both ends.
func (w *fixture) connect() (near, far net.Conn) {
	GinkgoHelper()
	near = dial(w.a, w.b.Addr())
	return near, accept(w.listener)
}

func dial(from network.Endpoint, addr string) net.Conn {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := from.DialContext(ctx, "tcp", addr)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { c.Close() })
	return c
}

func accept(l net.Listener) net.Conn {
	GinkgoHelper()
	accepted := make(chan net.Conn, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			accepted <- c
		}
	}()
	var c net.Conn
	Eventually(accepted, "5s").Should(Receive(&c))
	DeferCleanup(func() { c.Close() })
	return c
}

// outcome is the result of one call on a connection.
type outcome struct {
	Text string
	N    int
	Err  error
}

// read reads once, in its own goroutine.
func read(c net.Conn) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		p := make([]byte, 64)
		n, err := c.Read(p)
		done <- outcome{string(p[:n]), n, err}
	}()
	return done
}

// write writes once, in its own goroutine.
func write(c net.Conn, text string) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		n, err := c.Write([]byte(text))
		done <- outcome{"", n, err}
	}()
	return done
}

// open dials in its own goroutine.
func open(ctx context.Context, from network.Endpoint, addr string) <-chan error {
	done := make(chan error, 1)
	go func() {
		c, err := from.DialContext(ctx, "tcp", addr)
		if err == nil {
			c.Close()
		}
		done <- err
	}()
	return done
}

// expectText expects to read exactly the text.
func expectText(c net.Conn, text string) {
	GinkgoHelper()
	var got strings.Builder
	Expect(c.SetReadDeadline(time.Now().Add(5 * time.Second))).To(Succeed())
	p := make([]byte, len(text))
	for got.Len() < len(text) {
		n, err := c.Read(p[:len(text)-got.Len()])
		got.Write(p[:n])
		Expect(err).NotTo(HaveOccurred(), "after %q", got.String())
	}
	Expect(got.String()).To(Equal(text))
	Expect(c.SetReadDeadline(time.Time{})).To(Succeed())
}

// expectSilence expects that nothing arrives within 20 ms.
func expectSilence(c net.Conn) {
	GinkgoHelper()
	expectReadError(c, 20*time.Millisecond, MatchError(os.ErrDeadlineExceeded))
}

// expectReadError reads once and expects the error and no data.
func expectReadError(c net.Conn, within time.Duration, match OmegaMatcher) {
	GinkgoHelper()
	Expect(c.SetReadDeadline(time.Now().Add(within))).To(Succeed())
	p := make([]byte, 64)
	n, err := c.Read(p)
	Expect(string(p[:n])).To(BeEmpty())
	Expect(err).To(match)
	c.SetReadDeadline(time.Time{})
}
