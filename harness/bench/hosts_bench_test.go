//go:build bench

package bench

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gmeasure"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
)

var _ = Describe("figures of hosts", Serial, Ordered, ContinueOnFailure, func() {
	BeforeAll(func() {
		if err := hosts.Supported(); err != nil {
			Skip(err.Error())
		}
	})

	It("make and remove", func(ctx SpecContext) {
		const (
			made     = "hosts: three made, one after the other"
			together = "hosts: three made at once"
			removed  = "hosts: three removed"
		)
		e := gmeasure.NewExperiment(made)
		e.Sample(func(int) {
			begun := time.Now()
			n, _ := threeHosts(ctx)
			e.RecordDuration(made, time.Since(begun))
			begun = time.Now()
			Expect(n.Close()).To(Succeed())
			e.RecordDuration(removed, time.Since(begun))

			begun = time.Now()
			n, err := hosts.New(hosts.Options{})
			Expect(err).NotTo(HaveOccurred())
			_, err = n.Hosts(ctx, "n0", "n1", "n2")
			Expect(err).NotTo(HaveOccurred())
			e.RecordDuration(together, time.Since(begun))
			Expect(n.Close()).To(Succeed())
		}, gmeasure.SamplingConfig{N: 50})
		record(e, made, "20 ms", "ms")
		record(e, together, "20 ms", "ms")
		record(e, removed, "20 ms", "ms")
	}, long)

	It("connect", func(ctx SpecContext) {
		const (
			trip    = "hosts: round trip of one byte between two hosts"
			through = "hosts: one connection between two hosts, in GB"
		)
		_, all := threeHosts(ctx)
		near, far := connection(ctx, all[0], all[1])
		e := gmeasure.NewExperiment(trip)
		answering := make(chan error, 1)
		go func() {
			b := make([]byte, 1)
			for {
				if _, err := io.ReadFull(far, b); err != nil {
					answering <- nil // the other end is closed
					return
				}
				if _, err := far.Write(b); err != nil {
					answering <- err
					return
				}
			}
		}()
		b := []byte{1}
		e.Sample(func(int) {
			begun := time.Now()
			_, err := near.Write(b)
			_, also := io.ReadFull(near, b)
			e.RecordDuration(trip, time.Since(begun))
			Expect(errors.Join(err, also)).NotTo(HaveOccurred())
		}, gmeasure.SamplingConfig{N: 5000})
		Expect(near.Close()).To(Succeed())
		Eventually(answering).Should(Receive(BeNil()))

		const size = 1 << 30
		e.Sample(func(int) {
			near, far := connection(ctx, all[0], all[1])
			writing := make(chan error, 1)
			begun := time.Now()
			go func() {
				part := make([]byte, 1<<20)
				var err error
				for range size / len(part) {
					_, failed := near.Write(part)
					err = errors.Join(err, failed)
				}
				writing <- err
			}()
			_, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.LimitReader(far, size), make([]byte, 1<<20))
			Expect(err).NotTo(HaveOccurred())
			e.RecordValue(through, size/1e9/time.Since(begun).Seconds())
			Eventually(writing).Should(Receive(BeNil()))
			Expect(errors.Join(near.Close(), far.Close())).To(Succeed())
		}, gmeasure.SamplingConfig{N: 10})
		record(e, trip, "0.04 ms", "ms")
		record(e, through, "1 a second", "a second")
	}, long)

	It("cut and heal", func(ctx SpecContext) {
		const (
			cut   = "hosts: a cut taking effect"
			heal  = "hosts: a heal, until what was cut off arrives"
			delay = "hosts: a latency of 5 ms, in force on the next packet: what it adds beyond that"
		)
		n, all := threeHosts(ctx)
		near, far := connection(ctx, all[0], all[1])
		e := gmeasure.NewExperiment(cut)
		b := []byte{1}
		e.Sample(func(int) {
			begun := time.Now()
			Expect(n.SetRule("n0", "n1", fault.Rule{Action: fault.Drop})).To(Succeed())
			e.RecordDuration(cut, time.Since(begun))
			before, err := n.Stats("n0", "n1")
			Expect(err).NotTo(HaveOccurred())
			_, err = near.Write(b)
			Expect(err).NotTo(HaveOccurred())
			Expect(far.SetReadDeadline(time.Now().Add(2 * time.Millisecond))).To(Succeed())
			_, err = far.Read(b)
			Expect(err).To(HaveOccurred(), "it arrives in spite of the cut")
			Expect(n.Stats("n0", "n1")).To(Equal(before))
			Expect(far.SetReadDeadline(time.Time{})).To(Succeed())
			begun = time.Now()
			Expect(n.SetRule("n0", "n1", fault.Rule{})).To(Succeed())
			_, err = io.ReadFull(far, b)
			Expect(err).NotTo(HaveOccurred())
			e.RecordDuration(heal, time.Since(begun))
		}, gmeasure.SamplingConfig{N: 200})
		e.Sample(func(int) {
			const latency = 5 * time.Millisecond
			Expect(n.SetRule("n0", "n1", fault.Rule{Latency: latency})).To(Succeed())
			begun := time.Now()
			_, err := near.Write(b)
			Expect(err).NotTo(HaveOccurred())
			_, err = io.ReadFull(far, b)
			Expect(err).NotTo(HaveOccurred())
			e.RecordDuration(delay, time.Since(begun)-latency)
			Expect(n.SetRule("n0", "n1", fault.Rule{})).To(Succeed())
		}, gmeasure.SamplingConfig{N: 100})
		record(e, cut, "1 ms", "ms")
		record(e, heal, "1 ms", "ms")
		record(e, delay, "1 ms", "ms")
	}, long)
})

// threeHosts returns a network with the hosts n0, n1 and n2.
func threeHosts(ctx context.Context) (*hosts.Network, []*hosts.Host) {
	GinkgoHelper()
	n, err := hosts.New(hosts.Options{})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(n.Close)
	var all []*hosts.Host
	for _, name := range []string{"n0", "n1", "n2"} {
		h, err := n.Host(ctx, name)
		Expect(err).NotTo(HaveOccurred())
		all = append(all, h)
	}
	return n, all
}

// connection returns both ends of a connection between two hosts.
func connection(ctx context.Context, a, b *hosts.Host) (near, far net.Conn) {
	GinkgoHelper()
	l, err := b.Listen(ctx, 0)
	Expect(err).NotTo(HaveOccurred())
	near, err = a.DialContext(ctx, "tcp", l.Addr().String())
	Expect(err).NotTo(HaveOccurred())
	far, err = l.Accept()
	Expect(err).NotTo(HaveOccurred())
	Expect(l.Close()).To(Succeed())
	return near, far
}
