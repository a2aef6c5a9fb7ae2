package network_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var _ = DescribeTableSubtree("Under load, a network", func(k kind) {
	It("does not lose, reorder or repeat data while links flap", func(ctx SpecContext) {
		w := newFixture(k)
		const connections, flaps = 3, 100
		random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), 0))
		stop := make(chan struct{})
		var work sync.WaitGroup
		counted := make(chan uint64, 2*connections)
		for range connections {
			near, far := w.connect()
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				work.Go(func() { count(way[0], stop) })
				work.Go(func() {
					defer GinkgoRecover()
					counted <- check(way[1])
				})
			}
		}
		for range flaps {
			from, to := "a", "b"
			if random.IntN(2) == 0 {
				from, to = to, from
			}
			Expect(w.Cut(fault.Drop, from, to)).To(Succeed())
			pause(ctx, time.Duration(random.IntN(500))*time.Microsecond)
			Expect(w.Mend(from, to)).To(Succeed())
			pause(ctx, time.Duration(random.IntN(500))*time.Microsecond)
		}
		close(stop)
		work.Wait()
		for range 2 * connections {
			Expect(<-counted).To(BeNumerically(">", flaps), "numbers transferred over one connection in one direction")
		}
	}, SpecTimeout(30*time.Second))

	It("survives concurrent cuts, resets and mends", func(ctx SpecContext) {
		w := newFixture(k)
		var work, servers sync.WaitGroup
		servers.Go(func() {
			for {
				c, err := w.listener.Accept()
				if err != nil {
					return
				}
				servers.Go(func() {
					defer c.Close()
					io.Copy(c, c)
				})
			}
		})
		for i := range 4 {
			work.Go(func() {
				random := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), uint64(i)))
				for range 200 {
					w.Between("a", "b").Cut(fault.Action(random.IntN(3)))
					if random.IntN(10) == 0 {
						w.b.Reset()
					}
					w.MendAll()
				}
			})
			work.Go(func() {
				for range 50 {
					echo(ctx, w)
				}
			})
		}
		work.Wait()
		w.MendAll()
		near := dial(w.a, w.b.Addr())
		Expect(near.Write([]byte("well"))).To(Equal(4))
		expectText(near, "well")
		Expect(w.Close()).To(Succeed())
		servers.Wait()
	}, SpecTimeout(30*time.Second))

	It("serves HTTP", func(ctx SpecContext) {
		w := newFixture(k)
		server := &http.Server{Handler: http.HandlerFunc(func(r http.ResponseWriter, q *http.Request) {
			fmt.Fprintf(r, "%s from %s", q.URL.Path, q.Host)
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(w.listener) }()
		transport := &http.Transport{DialContext: w.a.DialContext}
		client := &http.Client{Transport: transport}
		for range 3 {
			q, _ := http.NewRequestWithContext(ctx, "GET", "http://"+w.b.Addr()+"/path", nil)
			answer, err := client.Do(q)
			Expect(err).NotTo(HaveOccurred())
			Expect(io.ReadAll(answer.Body)).To(BeEquivalentTo("/path from " + w.b.Addr()))
			answer.Body.Close()
		}
		transport.CloseIdleConnections()
		Expect(server.Shutdown(ctx)).To(Succeed())
		Eventually(served).Should(Receive(MatchError(http.ErrServerClosed)))
	}, SpecTimeout(10*time.Second))
}, kinds)

// count writes 0, 1, 2 and so on until stop, in chunks of odd sizes, and then closes its writing
// side.
func count(c net.Conn, stop <-chan struct{}) {
	out := bufio.NewWriterSize(c, 3001)
	defer func() {
		out.Flush()
		c.(interface{ CloseWrite() error }).CloseWrite()
	}()
	ticker := time.NewTicker(time.Millisecond) // leave CPU time for the flapping
	defer ticker.Stop()
	for i := uint64(0); ; i++ {
		select {
		case <-stop:
			return
		default:
			if i%500 == 0 {
				<-ticker.C
			}
			if _, err := out.Write(binary.BigEndian.AppendUint64(nil, i)); err != nil {
				return
			}
		}
	}
}

// check reads the numbers from count, with deadlines that often pass, and returns how many it
// read.
func check(c net.Conn) uint64 {
	in := bufio.NewReaderSize(retryReader{c}, 7001)
	p := make([]byte, 8)
	for i := uint64(0); ; i++ {
		_, err := io.ReadFull(in, p)
		if err == io.EOF {
			return i
		}
		if got := binary.BigEndian.Uint64(p); err != nil || got != i {
			Expect(err).NotTo(HaveOccurred(), "after %d numbers", i)
			Expect(got).To(Equal(i))
		}
	}
}

// retryReader reads with short deadlines until data arrives.
type retryReader struct{ net.Conn }

func (p retryReader) Read(b []byte) (int, error) {
	for {
		p.SetReadDeadline(time.Now().Add(300 * time.Microsecond))
		n, err := p.Conn.Read(b)
		if e, ok := err.(net.Error); n > 0 || !ok || !e.Timeout() {
			return n, err
		}
	}
}

// echo sends a line and reads it back, if the network permits.
func echo(ctx context.Context, w *fixture) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	c, err := w.a.DialContext(ctx, "tcp", w.b.Addr())
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Write([]byte("line")); err == nil {
		io.ReadFull(c, make([]byte, 4))
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
