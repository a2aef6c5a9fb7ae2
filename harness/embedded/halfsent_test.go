package embedded_test

import (
	"context"
	"io"
	"net"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

const postHeaders = "POST /v1/api/sql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

var _ = Describe("A misused connection", func() {
	const patience = 200 * time.Millisecond

	dial := func(ctx context.Context, c *cluster) net.Conn {
		GinkgoHelper()
		conn := must(c.clients.DialContext(ctx, "tcp", c.hosts[0].Addr()))
		DeferCleanup(conn.Close)
		return conn
	}

	DescribeTable("is closed in time", func(ctx SpecContext, sent, answer string) {
		c := boot(1, requestTimeout(patience))
		s := c.session(0)
		s.works(ctx)
		conn := dial(ctx, c)
		begun := time.Now()
		must(conn.Write([]byte(sent)))
		Expect(conn.SetReadDeadline(begun.Add(3 * time.Second))).To(Succeed())
		got, err := io.ReadAll(conn)
		Expect(time.Since(begun)).To(BeNumerically("<", 2*patience+moment))
		Expect(string(got)).To(ContainSubstring(answer))
		if err != nil {
			Expect(err).To(MatchError(ContainSubstring("reset")))
		}
		s.works(ctx)
	},
		Entry("when it sends nothing", "", ""),
		Entry("when its headers never end", postHeaders, ""),
		Entry("when its body never ends", postHeaders+"Content-Length: 100\r\n\r\n{\"sql\":", "408 Request Timeout"),
		Entry("when its chunked body never ends", postHeaders+"Transfer-Encoding: chunked\r\n\r\n7\r\n{\"sql\":\r\n", "408 Request Timeout"),
		Entry("when it starts with garbage", "\xff\xfe\r\n\r\n", "400 Bad Request"),
		Entry("when it speaks TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", ""),
		Entry("when it greets as a node of another cluster", "\x00"+strings.Repeat("x", 32), ""),
		Entry("when its greeting as a node never ends", "\x00abc", ""),
		Entry("when it greets with HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
		Entry("when its request line is too long", "GET /"+strings.Repeat("x", 2<<20)+" HTTP/1.1\r\n\r\n", "431"),
	)

	It("is closed, and its reader freed, when its client stops reading", func(ctx SpecContext) {
		c := boot(1, requestTimeout(patience), func(c *embedded.Config) { c.Machine.Readers = 1 })
		s := c.session(0)
		s.works(ctx)
		conn := dial(ctx, c)
		body := `{"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 1000000) SELECT i, hex(zeroblob(100)) FROM n"}`
		must(conn.Write([]byte(postHeaders + "Content-Length: " + itoa(len(body)) + "\r\n\r\n" + body)))
		must(io.ReadFull(conn, make([]byte, 1000)))
		begun := time.Now()
		// There is only one reader, so this waits until the other read has ended.
		s.ok(ctx, "local", "SELECT 1")
		Expect(time.Since(begun)).To(BeNumerically("<", 2*patience+moment))
		got, err := io.ReadAll(conn)
		Expect(string(got)).NotTo(ContainSubstring("success"))
		_ = err // a reset or EOF: the answer is incomplete either way
		s.works(ctx)
	})

	It("is closed when its client stops reading the answer to a forwarded write", func(ctx SpecContext) {
		// Not on the first leader: on a busy machine it would close the follower's connection, and
		// the follower would retry the write, whose answer is not kept.
		impatient := func(config *embedded.Config) {
			if config.ID != "n0" {
				config.RequestTimeout = patience
			}
		}
		c := boot(3, impatient, electionTimeout(2*time.Second), writeTimeout(20*time.Second))
		leader := c.leader(ctx)
		Expect(leader).To(BeZero())
		follower := c.but(leader)[0]
		s := c.session(follower)
		s.ok(ctx, "", "CREATE TABLE t (v)")
		body := `{"sql":"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 7000) ` +
			`INSERT INTO t SELECT hex(zeroblob(600)) FROM n RETURNING v"}`
		conn := must(c.clients.DialContext(ctx, "tcp", c.hosts[follower].Addr()))
		DeferCleanup(conn.Close)
		must(conn.Write([]byte(postHeaders + "Content-Length: " + itoa(len(body)) + "\r\n\r\n" + body)))
		start := make([]byte, 1000)
		Expect(conn.SetReadDeadline(time.Now().Add(20 * time.Second))).To(Succeed())
		n, err := io.ReadFull(conn, start)
		Expect(err).NotTo(HaveOccurred(), string(start[:n]))
		stopping, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		begun := time.Now()
		Expect(c.nodes[follower].Stop(stopping)).To(Succeed()) // waits for its requests
		Expect(time.Since(begun)).To(BeNumerically("<", 2*patience+moment))
	})
})

func electionTimeout(d time.Duration) tweak {
	return func(c *embedded.Config) { c.ElectionTimeout = d }
}
