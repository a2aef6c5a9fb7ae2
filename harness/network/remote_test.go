package network_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
)

// childAddr is the environment variable that makes this test binary the node of a child process.
const childAddr = "REJOIN_NETWORK_TEST_ADDR"

func TestMain(m *testing.M) {
	if addr := os.Getenv(childAddr); addr != "" {
		if err := serveEcho(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// serveEcho joins, reports that on its output, and echoes all data.
func serveEcho(addr string) error {
	h, err := network.TCP().Join("node", addr)
	if err != nil {
		return err
	}
	l, err := h.Listen()
	if err != nil {
		return err
	}
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go io.Copy(c, c)
	}
}

// startChild starts a child and waits until it listens.
func startChild(addr string) *exec.Cmd {
	GinkgoHelper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childAddr+"="+addr)
	child.Stderr = GinkgoWriter
	out, err := child.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(child.Start()).To(Succeed())
	DeferCleanup(func() { kill(child) })
	Expect(bufio.NewReader(out).ReadString('\n')).To(Equal("listening\n"))
	return child
}

// kill kills the child. It may be repeated.
func kill(child *exec.Cmd) {
	child.Process.Kill()
	child.Wait()
}

var _ = Describe("A node in a different process", func() {
	var (
		n           *network.Network
		a, node     *network.Host
		reservation *network.Reservation
	)
	BeforeEach(func() {
		before := gleak.Goroutines()
		DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
		var err error
		reservation, err = network.Reserve()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(reservation.Close)
		n = network.TCP()
		DeferCleanup(n.Close)
		a = host(n, "a")
		node, err = n.Remote("node", reservation.Addr())
		Expect(err).NotTo(HaveOccurred())
	})

	echoed := func() {
		GinkgoHelper()
		c := dial(a, node.Addr())
		Expect(c.Write([]byte("hello"))).To(Equal(5))
		expectText(c, "hello")
	}

	It("keeps its port across kills, and refuses dials in between", func(ctx SpecContext) {
		for range 3 {
			_, err := a.DialContext(ctx, "tcp", node.Addr())
			Expect(err).To(MatchError(syscall.ECONNREFUSED))
			child := startChild(reservation.Addr())
			echoed()
			c := dial(a, node.Addr()) // open when the node dies
			kill(child)
			expectReadError(c, 5*time.Second, Or(Equal(io.EOF), MatchError(syscall.ECONNRESET)))
		}
	})

	It("has links with rules", func() {
		startChild(reservation.Addr())
		c := dial(a, node.Addr())
		Expect(n.SetRule("node", "a", fault.Rule{Latency: time.Hour})).To(Succeed())
		Expect(c.Write([]byte("hello"))).To(Equal(5))
		expectSilence(c)
		Expect(n.SetRule("node", "a", fault.Rule{})).To(Succeed())
		expectText(c, "hello")

		Expect(n.Between("a", "node").Cut(fault.Refuse)).To(Succeed())
		Eventually(read(c)).Should(Receive(HaveField("Err", MatchError(syscall.ECONNRESET))))
		_, err := a.DialContext(context.Background(), "tcp", node.Addr())
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		n.MendAll()
		echoed()

		node.Crash()
		_, err = a.DialContext(context.Background(), "tcp", node.Addr())
		Expect(err).To(MatchError(syscall.ECONNREFUSED))
		node.Revive()
		echoed()
	})

	It("can only listen in its own process", func() {
		for range 2 {
			_, err := node.Listen()
			Expect(err).To(MatchError(ContainSubstring("host node is a different process")))
			node.Crash()
			node.Revive()
		}
	})

	It("has a port that is given to no other process", func() {
		_, err := net.Listen("tcp4", reservation.Addr())
		Expect(err).To(MatchError(syscall.EADDRINUSE))
		Expect(reservation.Close()).To(Succeed())
		Expect(reservation.Close()).To(Succeed())
		l, err := net.Listen("tcp4", reservation.Addr())
		Expect(err).NotTo(HaveOccurred())
		Expect(l.Close()).To(Succeed())
	})

	It("must have a unique name and address", func() {
		_, err := n.Remote("a", "127.0.0.1:9")
		Expect(err).To(MatchError(ContainSubstring("create remote host a at 127.0.0.1:9: the network already has a host of that name")))
		_, err = n.Remote("c", a.Addr())
		Expect(err).To(MatchError(ContainSubstring("host a already has that address")))
		_, err = n.Remote("c", "nowhere")
		Expect(err).To(MatchError(ContainSubstring("create remote host c at nowhere")))
		_, err = n.Join("node", "127.0.0.1:0")
		Expect(err).To(MatchError(ContainSubstring("the network already has a host of that name")))
		_, err = n.Join("c", a.Addr())
		Expect(err).To(MatchError(syscall.EADDRINUSE))

		memory := network.Memory(1)
		DeferCleanup(memory.Close)
		_, err = memory.Remote("c", "127.0.0.1:9")
		Expect(err).To(MatchError(ContainSubstring("in memory")))
		_, err = memory.Join("c", "127.0.0.1:9")
		Expect(err).To(MatchError(ContainSubstring("in memory")))
	})

	It("can reuse a port with connections left by its predecessor", func() {
		for range 2 { // with sockets in TIME_WAIT, not killed ones
			own := network.TCP()
			h, err := own.Join("node", reservation.Addr())
			Expect(err).NotTo(HaveOccurred())
			l := listen(h)
			near := dial(a, node.Addr())
			far := accept(l)
			Expect(far.Close()).To(Succeed())
			expectReadError(near, 5*time.Second, Equal(io.EOF))
			Expect(near.Close()).To(Succeed())
			Expect(own.Close()).To(Succeed())
			_, err = h.Listen()
			Expect(err).To(MatchError(net.ErrClosed))
		}
	})
})
