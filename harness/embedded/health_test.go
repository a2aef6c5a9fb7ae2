package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

var _ = Describe("The health of a node", func() {
	It("is never online before the node has applied all entries that were committed when it reconnected", func(ctx SpecContext) {
		c := boot(3)
		s := c.session(c.leader(ctx))
		s.ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
		seen := map[embedded.State]int{}
		for round := range 20 {
			leader := c.leader(ctx)
			away := c.but(leader)[round%2]
			s := c.session(leader)
			c.isolate(away)
			Eventually(ctx, func() embedded.State { return c.nodes[away].Health().State }).Should(Equal(embedded.Connecting))
			for i := range 20 {
				s.ok(ctx, "", "INSERT INTO t (v) VALUES (?)", fmt.Sprint(round, i))
			}
			committed := c.nodes[leader].Health().CommitIndex
			c.mend(away)
			for {
				Expect(ctx.Err()).NotTo(HaveOccurred())
				health := c.nodes[away].Health()
				seen[health.State]++
				if health.State == embedded.Online {
					Expect(health.AppliedIndex).To(BeNumerically(">=", committed), "round %d", round)
					break
				}
			}
			s.client.CloseIdleConnections()
		}
		Expect(seen).To(HaveKey(embedded.Connecting))
		GinkgoWriter.Println("states seen:", fmt.Sprint(seen))
	})

	It("is leaving while the node stops, and the node refuses requests", func(ctx SpecContext) {
		// The write timeout is short: a read that waits less than a second does not end the read that
		// uses the reader.
		c := boot(1, writeTimeout(300*time.Millisecond), func(c *embedded.Config) { c.Machine.Readers = 1 })
		s := c.session(0)
		s.works(ctx)
		// A running request delays the shutdown.
		going, cancel := context.WithCancel(ctx)
		slow := make(chan struct{})
		busy := c.session(0)
		go func() {
			defer close(slow)
			_, _ = busy.tryDo(going, "local", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n")
		}()
		// It runs when the only reader is taken.
		Eventually(ctx, func() int { return s.do(ctx, "local", "SELECT 1").HTTP }).Should(Equal(http.StatusServiceUnavailable))
		stopped := make(chan error, 1)
		go func() { stopped <- c.nodes[0].Stop(ctx) }()
		Eventually(ctx, func() embedded.State { return c.nodes[0].Health().State }).Should(Equal(embedded.Leaving))
		a := s.do(ctx, "", "INSERT INTO works DEFAULT VALUES")
		Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable))
		Expect(a.Error.Code).To(Equal(embedded.CodeStopping))
		Consistently(stopped, "50ms", "5ms").ShouldNot(Receive())
		cancel()
		Eventually(ctx, stopped).Should(Receive(BeNil()))
		<-slow
		Expect(c.nodes[0].Health().State).To(Equal(embedded.Leaving))
		Expect(c.nodes[0].Health().Role).To(Equal("shutdown"))
	})
})
