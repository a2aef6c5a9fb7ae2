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

func writeTimeout(d time.Duration) tweak {
	return func(c *embedded.Config) { c.WriteTimeout = d }
}

var _ = Describe("A write", func() {
	When("there is a quorum", func() {
		var c *cluster
		var leader int
		BeforeEach(func(ctx SpecContext) {
			c = boot(3)
			leader = c.leader(ctx)
			c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE)")
		})

		It("can be read immediately from any node that accepted it", func(ctx SpecContext) {
			for i := range 200 {
				s := c.session(i % 3)
				s.ok(ctx, "", "INSERT INTO t VALUES (?, ?)", i, fmt.Sprint(i))
				Expect(s.count(ctx, "local", "t")).To(Equal(i + 1))
				s.client.CloseIdleConnections()
			}
			c.converge(ctx)
		})

		It("returns its rows, the number of affected rows and its log index", func(ctx SpecContext) {
			for i := range 3 {
				s := c.session(i)
				a := s.ok(ctx, "", "INSERT INTO t (v) VALUES (?), (?) RETURNING id, v", fmt.Sprint("a", i), fmt.Sprint("b", i))
				Expect(a.Results[0].RowCount).To(Equal(2))
				Expect(a.rows()[1][1]).To(Equal(fmt.Sprint("b", i)))
				Expect(*a.Results[0].Affected).To(Equal(2))
				Expect(a.Header.Get("Rejoin-Index")).NotTo(BeEmpty())
				a = s.ok(ctx, "", "UPDATE t SET v = v || '!' WHERE v LIKE ?; DELETE FROM t WHERE v = 'nothing'", fmt.Sprint("_", i))
				Expect(a.Results).To(HaveLen(2))
				Expect(*a.Results[0].Affected).To(Equal(2))
				Expect(*a.Results[1].Affected).To(BeZero())
			}
		})

		It("is atomic", func(ctx SpecContext) {
			for i := range 3 {
				s := c.session(i)
				a := s.do(ctx, "", "INSERT INTO t VALUES (1, 'x'); INSERT INTO t VALUES (2, 'x')")
				Expect(a.HTTP).To(Equal(http.StatusBadRequest))
				Expect(a.Error.Code).To(Equal(embedded.CodeSQL))
				Expect(a.Error.Message).To(ContainSubstring("UNIQUE constraint failed: t.v"))
				Expect(a.Error.Outcome).To(BeEmpty())
				Expect(s.count(ctx, "strong", "t")).To(BeZero())
			}
			c.session(0).ok(ctx, "", "INSERT INTO t VALUES (1, 'x'); INSERT INTO t VALUES (2, 'y')")
			Expect(c.session(1).count(ctx, "strong", "t")).To(Equal(2))
		})

		It("is applied once, however often and to whichever node it is sent with the same Idempotency-Key", func(ctx SpecContext) {
			var first answer
			for i := range 6 {
				s := c.session(i%3, header{"Idempotency-Key", "the same"})
				a := s.ok(ctx, "", "INSERT INTO t (v) VALUES (random()) RETURNING id, v")
				if i == 0 {
					first = a
				}
				Expect(a.rows()).To(Equal(first.rows()))
			}
			Expect(c.session(0).count(ctx, "strong", "t")).To(Equal(1))
		})
	})

	When("there is no quorum", func() {
		const patience = 400 * time.Millisecond

		// inTime expects status 503 within the write timeout.
		inTime := func(ctx context.Context, s *session, sql string) answer {
			GinkgoHelper()
			begun := time.Now()
			a := s.do(ctx, "", sql)
			Expect(time.Since(begun)).To(BeNumerically("<", patience+moment))
			Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable), a.Text)
			Expect(a.Header.Get("Rejoin-Error")).To(Equal(a.Error.Code))
			Expect(a.Header.Get("Rejoin-Outcome")).To(Equal(a.Error.Outcome))
			return a
		}

		It("is refused by an isolated follower, and changes nothing", func(ctx SpecContext) {
			c := boot(3, writeTimeout(patience))
			leader := c.leader(ctx)
			c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
			follower := c.but(leader)[0]
			c.isolate(follower)
			Eventually(ctx, func() embedded.State { return c.nodes[follower].Health().State }).Should(Equal(embedded.Connecting))
			a := inTime(ctx, c.session(follower), "INSERT INTO t VALUES (1)")
			Expect(a.Error.Code).To(Equal(embedded.CodeNoLeader))
			Expect(a.Error.Outcome).To(BeEmpty())
			c.mend(follower)
			c.leader(ctx)
			c.converge(ctx)
			Expect(c.session(follower).count(ctx, "strong", "t")).To(BeZero())
		})

		It("has an unknown outcome on a leader that was isolated", func(ctx SpecContext) {
			c := boot(3, writeTimeout(patience))
			leader := c.leader(ctx)
			s := c.session(leader)
			s.ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY)")
			c.isolate(leader)
			a := inTime(ctx, s, "INSERT INTO t VALUES (1)")
			Expect(a.Error.Code).To(Equal(embedded.CodeNoQuorum))
			Expect(a.Error.Outcome).To(Equal(embedded.OutcomeUnknown))
			c.mend(leader)
			c.leader(ctx)
			c.converge(ctx)
		})

		It("is refused by the only running node", func(ctx SpecContext) {
			c := boot(3, writeTimeout(patience))
			leader := c.leader(ctx)
			survivor := c.but(leader)[0]
			for _, i := range c.but(survivor) {
				Expect(c.nodes[i].Close()).To(Succeed())
			}
			Eventually(ctx, func() embedded.State { return c.nodes[survivor].Health().State }).Should(Equal(embedded.Connecting))
			a := inTime(ctx, c.session(survivor), "CREATE TABLE t (id INTEGER PRIMARY KEY)")
			Expect(a.Error.Code).To(Equal(embedded.CodeNoLeader))
			Expect(a.Error.Outcome).To(BeEmpty())
		})
	})

	When("the leader is isolated while a follower forwards to it", func() {
		It("is retried at the next leader and applied exactly once", func(ctx SpecContext) {
			c := boot(3)
			leader := c.leader(ctx)
			follower := c.but(leader)[0]
			s := c.session(follower)
			s.ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
			for round := range 10 {
				leader = c.leader(ctx)
				follower = c.but(leader)[round%2]
				s = c.session(follower)
				// This write opens the connections to the leader, so that the next request is sent or
				// received when the isolation starts.
				s.ok(ctx, "", "INSERT INTO t (v) VALUES ('before')")
				c.isolate(leader)
				a := s.ok(ctx, "", "INSERT INTO t (v) VALUES (?)", fmt.Sprint("round ", round))
				Expect(*a.Results[0].Affected).To(Equal(1))
				c.mend(leader)
				c.leader(ctx)
				rows := c.session(leader).ok(ctx, "strong", "SELECT count(*) FROM t WHERE v = ?", fmt.Sprint("round ", round)).rows()
				Expect(rows[0][0]).To(BeEquivalentTo(1))
			}
			c.converge(ctx)
		})
	})
})
