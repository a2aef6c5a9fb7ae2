package embedded_test

import (
	"context"
	"net"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/network"
)

var _ = Describe("A node that is closed", func() {
	It("leaks no files in twenty rounds", func(ctx SpecContext) {
		c := boot(3)
		c.leader(ctx)
		c.session(0).works(ctx)
		var after []int
		for range 20 {
			c.each(func(i int) { Expect(c.nodes[i].Close()).To(Succeed()) })
			after = append(after, openFiles())
			c.startAll()
			s := c.session(c.leader(ctx))
			s.works(ctx)
			s.client.CloseIdleConnections()
		}
		Expect(after[19]).To(BeNumerically("<=", after[0]+1), "files open after each round: %v", after)
	})

	It("closes its port", func(ctx SpecContext) {
		nets := network.TCP()
		c := bootOn(nets, 3)
		c.session(c.leader(ctx)).works(ctx)
		Expect(c.close()).To(Succeed())
		for _, host := range c.hosts {
			_, err := net.DialTimeout("tcp", host.Addr(), time.Second)
			Expect(err).To(MatchError(ContainSubstring("refused")))
		}
	})

	It("can be closed repeatedly and concurrently", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		c.session(leader).works(ctx)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				defer GinkgoRecover()
				if i%2 == 0 {
					Expect(c.nodes[leader].Close()).To(Succeed())
				} else {
					Expect(c.nodes[leader].Stop(ctx)).To(Succeed())
				}
			})
		}
		wg.Wait()
		Expect(c.nodes[leader].Close()).To(Succeed())
		Expect(c.nodes[leader].Stop(ctx)).To(Succeed())
		Expect(c.nodes[leader].Snapshot(ctx)).NotTo(Succeed())
		_, _, err := c.nodes[leader].Digest(ctx)
		Expect(err).To(HaveOccurred())
	})

	It("stops while clients have sent incomplete requests", func(ctx SpecContext) {
		c := boot(1)
		c.session(0).works(ctx)
		for _, begun := range []string{
			"", "\x00", "\x00abc", "POST /v1/api/sql HTTP/1.1\r\n",
			"POST /v1/api/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
		} {
			for range 5 {
				conn := must(c.clients.DialContext(ctx, "tcp", c.hosts[0].Addr()))
				DeferCleanup(conn.Close)
				must(conn.Write([]byte(begun)))
			}
		}
		begun := time.Now()
		Expect(c.nodes[0].Close()).To(Succeed())
		Expect(time.Since(begun)).To(BeNumerically("<", moment))
	})

	DescribeTable("stops immediately under load", func(ctx SpecContext, isolated bool) {
		// A node that waits for its requests takes this long. One that stops immediately can still
		// take seconds, because the load keeps the CPUs busy.
		const requests = 20 * time.Second
		c := boot(3, writeTimeout(requests))
		for range 5 {
			leader := c.leader(ctx)
			c.session(leader).works(ctx)
			// Many strong reads and writes fill Raft's queues. Raft never answers requests that are
			// queued when it shuts down.
			loading, cancel := context.WithCancel(ctx)
			var wg sync.WaitGroup
			for i := range 100 {
				s := c.session(leader)
				if i%4 == 0 {
					s = c.session(c.but(leader)[0])
				}
				wg.Go(func() {
					for loading.Err() == nil {
						if i%2 == 0 {
							_, _ = s.tryDo(loading, "strong", "SELECT 1")
						} else {
							_, _ = s.tryDo(loading, "", "INSERT INTO works DEFAULT VALUES")
						}
					}
				})
			}
			before := c.nodes[leader].Health().AppliedIndex
			Eventually(ctx, func() uint64 { return c.nodes[leader].Health().AppliedIndex }).Should(BeNumerically(">", before+20))
			if isolated {
				c.isolate(leader)
			}
			begun := time.Now()
			closed := make(chan error, 1)
			go func() { closed <- c.nodes[leader].Close() }()
			Eventually(ctx, closed).WithTimeout(requests).Should(Receive(BeNil()))
			took := time.Since(begun)
			cancel()
			wg.Wait()
			Expect(took).To(BeNumerically("<", requests/2))
			if isolated {
				c.mend(leader)
			}
			c.start(leader)
		}
		c.leader(ctx)
		c.converge(ctx)
	},
		Entry("as a connected leader", false),
		Entry("as an isolated leader", true),
	)
})
