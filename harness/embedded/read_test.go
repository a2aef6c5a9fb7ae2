package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

var _ = Describe("A read", func() {
	When("the node is isolated", func() {
		DescribeTable("is served if it is local, otherwise refused in time", func(ctx SpecContext, isolateLeader bool) {
			const patience = 300 * time.Millisecond
			c := boot(3, writeTimeout(patience))
			leader := c.leader(ctx)
			c.session(leader).works(ctx)
			c.session(c.but(leader)[0]).works(ctx)
			isolated := leader
			if !isolateLeader {
				isolated = c.but(leader)[0]
				Eventually(ctx, func() uint64 { return c.nodes[isolated].Health().AppliedIndex }).Should(Equal(c.nodes[leader].Health().AppliedIndex))
			}
			s := c.session(isolated)
			c.isolate(isolated)
			for _, consistency := range []string{"strong", "leader", "strong"} {
				if consistency == "leader" {
					// A leader may answer from its applied state until its lease ends.
					Eventually(ctx, func() string { return c.nodes[isolated].Health().Leader }).Should(BeEmpty())
				}
				begun := time.Now()
				a := s.do(ctx, consistency, "SELECT 1")
				Expect(time.Since(begun)).To(BeNumerically("<", patience+moment))
				Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable), "%s: %s", consistency, a.Text)
				Expect(a.Error.Code).To(Equal(embedded.CodeNoLeader))
			}
			Expect(s.count(ctx, "local", "works")).To(Equal(2))
			c.mend(isolated)
			c.leader(ctx)
			Expect(s.count(ctx, "strong", "works")).To(Equal(2))
		},
			Entry("a follower", false),
			Entry("a leader that has not noticed yet", true),
		)
	})

	It("that is strong sees earlier writes through another node", func(ctx SpecContext) {
		c := boot(3)
		leader := c.leader(ctx)
		others := c.but(leader)
		c.session(leader).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY); CREATE TABLE noise (v)")
		stop := make(chan struct{})
		var noise atomic.Int64
		done := make(chan struct{})
		writer := c.session(others[0])
		go func() {
			defer GinkgoRecover()
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					writer.ok(ctx, "", "INSERT INTO noise VALUES (1)")
					noise.Add(1)
				}
			}
		}()
		from, reader := c.session(others[0]), c.session(others[1])
		for i := range 200 {
			from.ok(ctx, "", "INSERT INTO t VALUES (?)", i)
			Expect(reader.count(ctx, "strong", "t")).To(Equal(i + 1))
			seen := int(noise.Load())
			Expect(reader.count(ctx, "strong", "noise")).To(BeNumerically(">=", seen))
		}
		close(stop)
		<-done
		Expect(noise.Load()).To(BeNumerically(">", 20))
	})

	It("answers several statements from one snapshot of the database", func(ctx SpecContext) {
		c := boot(1)
		s := c.session(0)
		s.ok(ctx, "", "CREATE TABLE t (v)")
		stop := make(chan struct{})
		done := make(chan struct{})
		writer := c.session(0)
		go func() {
			defer GinkgoRecover()
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					writer.ok(ctx, "", "INSERT INTO t VALUES (1)")
				}
			}
		}()
		for range 50 {
			a := s.ok(ctx, "local", "SELECT count(*) FROM t; "+
				"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 20000) SELECT max(i) FROM n; "+
				"SELECT count(*) FROM t")
			Expect(a.Results).To(HaveLen(3))
			Expect(a.Results[2].Rows).To(Equal(a.Results[0].Rows))
		}
		close(stop)
		<-done
	})

	// series returns a request for the given number of rows of about 100 bytes each.
	series := func(rows int) string {
		return fmt.Sprintf(`{"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT %d) `+
			`SELECT i, hex(zeroblob(45)) FROM n","consistency":"local"}`, rows)
	}
	stream := func(ctx context.Context, c *cluster, body string) *http.Response {
		GinkgoHelper()
		request := must(http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.hosts[0].Addr()+"/v1/api/sql", strings.NewReader(body)))
		request.Header.Set("Content-Type", "application/json")
		return must(c.client().Do(request))
	}

	It("of 200,000 rows is streamed: its first row arrives early, and memory use is bounded", func(ctx SpecContext) {
		c := boot(1)
		c.session(0).works(ctx)
		// Garbage counts as heap until it is collected. By default that is when there is as much
		// garbage as live memory, and the live memory depends on the specs that ran before.
		DeferCleanup(debug.SetGCPercent, debug.SetGCPercent(10))
		runtime.GC()
		var before, now runtime.MemStats
		runtime.ReadMemStats(&before)
		begun := time.Now()
		response := stream(ctx, c, series(200_000))
		defer response.Body.Close()
		in := bufio.NewReader(response.Body)
		_ = must(in.ReadString(']')) // the schema
		_ = must(in.ReadString(']')) // the first row
		first := time.Since(begun)
		var highest uint64
		total, buf := 0, make([]byte, 32<<10)
		for i := 0; ; i++ {
			n, err := in.Read(buf)
			total += n
			if i%50 == 0 {
				runtime.ReadMemStats(&now)
				highest = max(highest, now.HeapAlloc)
			}
			if err == io.EOF {
				break
			}
			Expect(err).NotTo(HaveOccurred())
		}
		whole := time.Since(begun)
		grown := int64(highest) - int64(before.HeapAlloc)
		GinkgoWriter.Printf("streaming 200,000 rows: first row %v, whole %v, %d bytes, heap +%d bytes\n", first, whole, total, grown)
		Expect(total).To(BeNumerically(">", 18_000_000))
		Expect(first).To(BeNumerically("<", whole/4))
		Expect(grown).To(BeNumerically("<", 16_000_000), "both ends together")
	})

	It("ends when its client goes away", func(ctx SpecContext) {
		c := boot(1, func(c *embedded.Config) { c.Machine.Readers = 1 })
		c.session(0).works(ctx)
		for _, query := range []string{
			series(1_000_000_000), // sends rows
			`{"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n","consistency":"local"}`, // only computes
		} {
			going, cancel := context.WithCancel(ctx)
			ended := make(chan error, 1)
			client := c.client()
			go func() {
				request, err := http.NewRequestWithContext(going, http.MethodPost, "http://"+c.hosts[0].Addr()+"/v1/api/sql", strings.NewReader(query))
				if err == nil {
					request.Header.Set("Content-Type", "application/json")
					var response *http.Response
					if response, err = client.Do(request); err == nil {
						_, err = io.Copy(io.Discard, response.Body)
						response.Body.Close()
					}
				}
				ended <- err
			}()
			// The only reader is in use: another read has to wait.
			Eventually(ctx, func() int {
				brief, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				a, err := c.session(0).tryDo(brief, "local", "SELECT 1")
				if err != nil {
					return 0
				}
				return a.HTTP
			}).Should(BeZero())
			cancel()
			Eventually(ctx, ended).Should(Receive(MatchError(context.Canceled)))
			c.session(0).ok(ctx, "local", "SELECT 1")
		}
	})

	It("times out if all readers stay busy", func(ctx SpecContext) {
		c := boot(1, writeTimeout(time.Second), func(c *embedded.Config) { c.Machine.Readers = 1 })
		c.session(0).works(ctx)
		response := stream(ctx, c, series(1_000_000_000))
		defer response.Body.Close()
		a := c.session(0).do(ctx, "local", "SELECT 1")
		Expect(a.HTTP).To(Equal(http.StatusServiceUnavailable), a.Text)
		Expect(a.Error.Code).To(Equal(embedded.CodeTimeout))
	})
})
