package hosts_test

import (
	"context"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

// pipe returns both ends of a connection from a to b.
func pipe(ctx context.Context, a, b *hosts.Host) (near, far net.Conn) {
	GinkgoHelper()
	l, err := b.Listen(ctx, 0)
	Expect(err).NotTo(HaveOccurred())
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			accepted <- c
		}
	}()
	near = dial(ctx, a, l.Addr().String())
	Eventually(ctx, accepted).Should(Receive(&far))
	DeferCleanup(func() { far.Close() })
	return near, far
}

var _ = DescribeTable("TCP bears", func(ctx SpecContext, bytes int, r fault.Rule) {
	n := newNetwork()
	a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
	near, far := pipe(ctx, a, b)
	Expect(n.SetRule("a", "b", r)).To(Succeed())
	content := make([]byte, bytes)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	done := make(chan error, 1)
	go func() {
		_, err := near.Write(content)
		done <- err
	}()
	sum := sha256.New()
	_, err := io.CopyN(sum, far, int64(bytes))
	Expect(err).NotTo(HaveOccurred())
	Eventually(ctx, done).Should(Receive(Succeed()))
	own := sha256.Sum256(content)
	Expect(sum.Sum(nil)).To(Equal(own[:]))
	s, err := n.Stats("a", "b")
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("counters", s)
	Expect(s.Bytes).To(BeNumerically(">", bytes))
	for _, counter := range []struct {
		counted uint64
		share   float64
	}{{s.Lost, r.Loss}, {s.Duplicates, r.Duplicate}, {s.Reordered, r.Reorder}} {
		if counter.share > 0 {
			Expect(counter.counted).NotTo(BeZero(), "%+v", s)
		} else {
			Expect(counter.counted).To(BeZero(), "%+v", s)
		}
	}
},
	Entry("loss", 4<<20, fault.Rule{Loss: 0.1}, SpecTimeout(time.Minute)),
	Entry("duplicates", 8<<20, fault.Rule{Duplicate: 0.3}, SpecTimeout(time.Minute)),
	Entry("reordering", 8<<20, fault.Rule{Reorder: 0.3}, SpecTimeout(time.Minute)),
	Entry("latency and jitter", 4<<20, fault.Rule{Latency: 5 * time.Millisecond, Jitter: 10 * time.Millisecond}, SpecTimeout(time.Minute)),
	Entry("a narrow link", 1<<20, fault.Rule{Bandwidth: 4 << 20}, SpecTimeout(time.Minute)),
	Entry("all at once", 8<<20, fault.Rule{
		Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Latency: time.Millisecond, Jitter: time.Millisecond, Bandwidth: 64 << 20,
	}, SpecTimeout(time.Minute)),
)

var _ = Describe("a rule", func() {
	It("resets a connection after half of a message", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		near, far := pipe(ctx, a, b)
		Expect(n.ResetLink("a", "b")).To(Succeed())
		_, err := near.Write([]byte("hello, you"))
		Expect(err).NotTo(HaveOccurred())
		far.SetReadDeadline(time.Now().Add(10 * time.Second))
		got, err := io.ReadAll(far)
		Expect(err).To(MatchError(ContainSubstring("reset")))
		Expect(string(got)).To(Or(Equal("hello"), BeEmpty())) // a reset may overtake what was not read
		near.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = near.Read(make([]byte, 1))
		Expect(err).To(MatchError(ContainSubstring("reset")))
	}, SpecTimeout(time.Minute))

	It("that drops delays a dial, which goes on at the heal and not after 1 s", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		echo(ctx, b, 7000)
		Expect(n.SetRule("a", "b", fault.Rule{Action: fault.Drop})).To(Succeed())
		dialing, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		_, err := a.DialContext(dialing, "tcp", "b:7000")
		Expect(err).To(MatchError(context.DeadlineExceeded))

		done := make(chan error, 1)
		go func() {
			c, err := a.DialContext(ctx, "tcp", "b:7000")
			if err == nil {
				err = c.Close()
			}
			done <- err
		}()
		Consistently(ctx, done, "50ms").ShouldNot(Receive())
		begun := time.Now()
		Expect(n.SetRule("a", "b", fault.Rule{})).To(Succeed())
		Eventually(ctx, done).Should(Receive(Succeed()))
		AddReportEntry("from the heal to the connection", time.Since(begun))
	}, SpecTimeout(time.Minute))

	It("that refuses ends every connection of a hundred, idle or in use", func(ctx SpecContext) {
		n := newNetwork()
		a, b := newHost(ctx, n, "a"), newHost(ctx, n, "b")
		echo(ctx, b, 7000)
		var all []net.Conn
		for range 100 {
			c := dial(ctx, a, "b:7000")
			Expect(roundTrip(c, 10*time.Second)).To(Succeed())
			all = append(all, c)
		}
		Expect(n.SetRule("b", "a", fault.Rule{Action: fault.Refuse})).To(Succeed())
		for _, c := range all {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, err := c.Read(make([]byte, 1))
			Expect(err).To(MatchError(ContainSubstring("reset")))
		}
		out, _ := run(ctx, b, "cat /proc/net/tcp")
		Expect(out).NotTo(MatchRegexp(` 0[1-9B] 0000`), "a connection is left on the other host")
	}, SpecTimeout(time.Minute))
})
