package hosts_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

// newNetwork returns a network that is closed after the spec, and checks for leaked goroutines.
func newNetwork() *hosts.Network {
	GinkgoHelper()
	before := gleak.Goroutines()
	DeferCleanup(func() {
		Eventually(gleak.Goroutines, "10s").ShouldNot(gleak.HaveLeaked(before))
	})
	o := hosts.Options{Dir: GinkgoT().TempDir()}
	if os.Getenv(vethVariable) != "" { // the second run of the specs: see again_linux_test.go
		o = o.Packets()
	}
	n, err := hosts.New(o)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(n.Close)
	return n
}

func newHost(ctx context.Context, n *hosts.Network, name string) *hosts.Host {
	GinkgoHelper()
	h, err := n.Host(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	return h
}

// run runs a shell script on the host until it ends, and returns what it wrote.
func run(ctx context.Context, h *hosts.Host, script string) (string, hosts.Exit) {
	GinkgoHelper()
	var out bytes.Buffer
	p, err := h.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", script}, Output: &out})
	Expect(err).NotTo(HaveOccurred())
	exit, err := p.Wait(ctx)
	Expect(err).NotTo(HaveOccurred())
	return out.String(), exit
}

// echo answers every byte, until the spec ends.
func echo(ctx context.Context, h *hosts.Host, port int) net.Listener {
	GinkgoHelper()
	l, err := h.Listen(ctx, port)
	Expect(err).NotTo(HaveOccurred())
	done := make(chan struct{})
	DeferCleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return l
}

func dial(ctx context.Context, h *hosts.Host, address string) net.Conn {
	GinkgoHelper()
	c, err := h.DialContext(ctx, "tcp", address)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { c.Close() })
	return c
}

func roundTrip(c net.Conn, within time.Duration) error {
	c.SetDeadline(time.Now().Add(within))
	_, err := c.Write([]byte("x"))
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
	}
	return err
}

var _ = Describe("a network", func() {
	It("lets programs of all users reach the folders of their hosts", func(ctx SpecContext) {
		h := newHost(ctx, newNetwork(), "a")
		for dir, mode := range map[string]os.FileMode{h.Dir(): 0o755, filepath.Dir(h.Dir()): 0o711} {
			info, err := os.Stat(dir)
			Expect(err).NotTo(HaveOccurred())
			Expect(info.Mode().Perm()).To(Equal(mode), dir)
		}
	}, SpecTimeout(time.Minute))

	It("has hosts that resolve each other's names and connect", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		echo(ctx, b, 7000)
		Expect(roundTrip(dial(ctx, a, "b:7000"), 5*time.Second)).To(Succeed())
		out, exit := run(ctx, a, "hostname; cat /etc/hosts; echo $$; ls /proc | grep -c '^[0-9]'; exit 3")
		Expect(exit).To(Equal(hosts.Exit{Code: 3}), out)
		Expect(out).To(HavePrefix("a\n127.0.0.1 localhost\n"))
		Expect(out).To(ContainSubstring(b.Addr().String() + " b\n"))
		Expect(roundTrip(dial(ctx, a, "b:7000"), 5*time.Second)).To(Succeed())
	}, SpecTimeout(time.Minute))

	It("cuts one direction, and the connection goes on after the heal", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		echo(ctx, b, 7000)
		c := dial(ctx, a, "b:7000")
		Expect(roundTrip(c, 5*time.Second)).To(Succeed())
		Expect(n.SetRule("a", "b", fault.Rule{Action: fault.Drop})).To(Succeed())
		Expect(roundTrip(c, 500*time.Millisecond)).NotTo(Succeed())
		Expect(n.SetRule("a", "b", fault.Rule{})).To(Succeed())
		begun := time.Now()
		c.SetDeadline(begun.Add(5 * time.Second))
		_, err := io.ReadFull(c, make([]byte, 1))
		Expect(err).NotTo(HaveOccurred())
		GinkgoWriter.Println("healed after", time.Since(begun))
	}, SpecTimeout(time.Minute))

	It("refuses", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		echo(ctx, b, 7000)
		c := dial(ctx, a, "b:7000")
		Expect(roundTrip(c, 5*time.Second)).To(Succeed())
		Expect(n.SetRule("a", "b", fault.Rule{Action: fault.Refuse})).To(Succeed())
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, err := c.Read(make([]byte, 1))
		Expect(err).To(MatchError(syscall.ECONNRESET))
		_, err = a.DialContext(ctx, "tcp", "b:7000")
		Expect(errors.Is(err, syscall.ECONNREFUSED)).To(BeTrue(), "%v", err)
	}, SpecTimeout(time.Minute))

	It("kills, freezes and thaws all of a host", func(ctx SpecContext) {
		n := newNetwork()
		a := newHost(ctx, n, "a")
		p, err := a.Start(ctx, hosts.Command{Path: "sh", Args: []string{"-c", "echo begun; (setsid sleep 1000 &) ; sleep 1000"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(syscall.Kill(p.Pid(), 0)).To(Succeed())
		Eventually(a.Log).WithArguments(100).Should(Equal("begun\n"))
		Expect(a.Freeze(ctx)).To(Succeed())
		Expect(a.Thaw(ctx)).To(Succeed())
		Expect(a.Kill(ctx)).To(Succeed())
		exit, err := p.Wait(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(exit).To(Equal(hosts.Exit{Code: -1, Signal: syscall.SIGKILL}))
		out, _ := run(ctx, a, "ps ax")
		Expect(out).NotTo(ContainSubstring("sleep"))
		GinkgoWriter.Println(out)
	}, SpecTimeout(time.Minute))
})

var _ = Describe("a host without power", func() {
	It("is silent until a program starts, and then knows no connection", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		echo(ctx, b, 7000)
		c := dial(ctx, a, "b:7000")
		Expect(roundTrip(c, 5*time.Second)).To(Succeed())
		Expect(b.CutPower(ctx)).To(Succeed())
		c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		Expect(err).To(MatchError(os.ErrDeadlineExceeded))
		run(ctx, b, "true")
		Expect(roundTrip(c, 5*time.Second)).To(MatchError(syscall.ECONNRESET))
	}, SpecTimeout(time.Minute))
})
