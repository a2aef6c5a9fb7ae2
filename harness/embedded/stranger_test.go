package embedded_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

var _ = Describe("An unauthorized client", func() {
	const (
		sql     = "/v1/api/sql"
		members = "/v1/api/cluster/members"
		health  = "/v1/api/cluster/health"
	)
	var c *cluster

	// ask sends a request with these headers; an empty value removes the header.
	ask := func(ctx context.Context, node int, method, path, host, body string, headers ...header) answer {
		GinkgoHelper()
		request := must(http.NewRequestWithContext(ctx, method, "http://"+c.hosts[node].Addr()+path, strings.NewReader(body)))
		request.Host = host
		if method == http.MethodPost {
			request.Header.Set("Content-Type", "application/json")
		}
		for _, h := range headers {
			if h.value == "" {
				request.Header.Del(h.name)
			} else {
				request.Header.Set(h.name, h.value)
			}
		}
		response := must(c.client().Do(request))
		defer response.Body.Close()
		return must(readAnswer(response))
	}
	refused := func(a answer, status int, code, message string) {
		GinkgoHelper()
		Expect(a.HTTP).To(Equal(status), a.Text)
		Expect(a.Error.Code).To(Equal(code))
		Expect(a.Error.Message).To(ContainSubstring(message))
		Expect(a.Error.Outcome).To(BeEmpty())
	}
	every := []struct{ method, path, body string }{
		{http.MethodPost, sql, `{"sql":"CREATE TABLE stranger (v)"}`},
		{http.MethodPost, sql, `{"sql":"SELECT 1"}`},
		{http.MethodPost, members, `{"remove":"n0"}`},
		{http.MethodGet, health, ""},
		{http.MethodGet, "/v1/api/cluster/read-index", ""},
		{http.MethodGet, "/nowhere", ""},
	}
	untouched := func(ctx context.Context) {
		GinkgoHelper()
		a := c.session(0).ok(ctx, "strong", "SELECT count(*) FROM sqlite_schema WHERE name = 'stranger'")
		Expect(a.rows()).To(Equal([][]any{{0.0}}))
		Expect(c.nodes[0].Health().Peers).To(HaveLen(len(c.nodes)))
	}

	When("there is no token", func() {
		BeforeEach(func(ctx SpecContext) {
			c = boot(1, func(c *embedded.Config) { c.Hosts = []string{"db.example"} })
			c.session(0).works(ctx)
		})

		It("cannot reach a node by a host name that is not the node's", func(ctx SpecContext) {
			for _, host := range []string{
				"attacker.example", "attacker.example:1234", "localhost.attacker.example", "127.0.0.1.attacker.example", "x",
			} {
				for _, r := range every {
					refused(ask(ctx, 0, r.method, r.path, host, r.body), http.StatusMisdirectedRequest, embedded.CodeMisdirected,
						fmt.Sprintf("header Host is %q, but this is node n0: use its address %s", host, c.hosts[0].Addr()))
				}
				Expect(ask(ctx, 0, http.MethodGet, "/v1/api/healthcheck", host, "").HTTP).To(Equal(http.StatusOK))
			}
			untouched(ctx)
		})

		It("can reach a node by its address, an IP address, localhost and its configured names", func(ctx SpecContext) {
			for _, host := range []string{
				c.hosts[0].Addr(), "127.0.0.1", "[::1]:80", "192.168.0.7:8080",
				"localhost", "LOCALHOST:99", "localhost.", "db.example", "DB.example:443",
			} {
				Expect(ask(ctx, 0, http.MethodPost, sql, host, `{"sql":"SELECT 1"}`).HTTP).To(Equal(http.StatusOK), host)
			}
		})

		It("cannot send requests from a browser page of another origin", func(ctx SpecContext) {
			own := c.hosts[0].Addr()
			for _, page := range []header{
				{"Origin", "https://attacker.example"}, {"Origin", "null"}, {"Origin", "http://" + own + "1"}, {"Origin", "http://localhost"},
				{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
			} {
				for _, r := range every {
					refused(ask(ctx, 0, r.method, r.path, own, r.body, page), http.StatusForbidden, embedded.CodeForbidden, page.name+": "+page.value)
				}
			}
			untouched(ctx)
			for _, page := range []header{{"Origin", "http://" + own}, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}} {
				Expect(ask(ctx, 0, http.MethodPost, sql, own, `{"sql":"SELECT 1"}`, page).HTTP).To(Equal(http.StatusOK))
			}
		})

		It("must send uncompressed JSON with its content type", func(ctx SpecContext) {
			for _, path := range []string{sql, members} {
				for _, kind := range []string{
					"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ";",
				} {
					refused(ask(ctx, 0, http.MethodPost, path, "localhost", `{"sql":"CREATE TABLE stranger (v)"}`, header{"Content-Type", kind}),
						http.StatusUnsupportedMediaType, embedded.CodeMediaType, path+" requires Content-Type: application/json, not ")
				}
				refused(ask(ctx, 0, http.MethodPost, path, "localhost", "{}", header{"Content-Type", "application/json; charset=latin1"}),
					http.StatusUnsupportedMediaType, embedded.CodeMediaType, "charset=latin1")
				refused(ask(ctx, 0, http.MethodPost, path, "localhost", "\x1f\x8b", header{"Content-Encoding", "gzip"}),
					http.StatusUnsupportedMediaType, embedded.CodeMediaType, "the body is compressed (Content-Encoding: gzip)")
			}
			untouched(ctx)
			for _, kind := range []string{"application/json", "Application/JSON; charset=UTF-8"} {
				Expect(ask(ctx, 0, http.MethodPost, sql, "localhost", `{"sql":"SELECT 1"}`, header{"Content-Type", kind}).HTTP).To(Equal(http.StatusOK))
			}
		})

		It("is checked by Handler too, without the endpoint", func() {
			for host, status := range map[string]int{"attacker.example": http.StatusMisdirectedRequest, "localhost": http.StatusOK} {
				request := httptest.NewRequest(http.MethodPost, "http://"+host+sql, strings.NewReader(`{"sql":"SELECT 1"}`))
				request.Header.Set("Content-Type", "application/json")
				out := httptest.NewRecorder()
				c.nodes[0].Handler().ServeHTTP(out, request)
				Expect(out.Code).To(Equal(status), out.Body.String())
			}
		})

		It("gets an error for too many parameters", func(ctx SpecContext) {
			body := `{"sql":"SELECT 1","params":[0` + strings.Repeat(",0", 1<<20) + `]}`
			refused(ask(ctx, 0, http.MethodPost, sql, "localhost", body), http.StatusBadRequest, embedded.CodeBadRequest,
				"the request has more than 1048576 parameters")
		})

		It("gets an error for HTTP/2 and for TLS, which is also logged", func(ctx SpecContext) {
			var log lockedBuffer
			c.configs[0].Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn})
			Expect(c.nodes[0].Close()).To(Succeed())
			c.start(0)
			say := func(text string) string {
				conn := must(c.clients.DialContext(ctx, "tcp", c.hosts[0].Addr()))
				defer conn.Close()
				Expect(conn.SetDeadline(time.Now().Add(10 * time.Second))).To(Succeed())
				must(conn.Write([]byte(text)))
				return string(must(io.ReadAll(conn)))
			}
			Expect(say("\x16\x03\x01\x02\x00\x01")).To(Equal("\x15\x03\x01\x00\x02\x02\x28"))
			Expect(log.String()).To(ContainSubstring("a client uses TLS, but this port serves plain HTTP"))
			Expect(say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).To(And(
				HavePrefix("HTTP/1.1 505 "), ContainSubstring("this node speaks HTTP/1.1, not HTTP/2")))
		})
	})

	DescribeTable("cannot impersonate a node", func(ctx SpecContext, token string) {
		c = boot(3, func(c *embedded.Config) { c.Token = token })
		leader := c.leader(ctx)
		carry := header{"Authorization", "Bearer " + token}
		for _, forged := range [][]header{
			{{"Rejoin-Forwarded-By", "n1"}},
			{{"Rejoin-Forwarded-By", "n1"}, {"Rejoin-Forwarder-Proof", strings.Repeat("00", 32)}},
			{{"Rejoin-Forwarder-Proof", strings.Repeat("00", 32)}},
			{{"Rejoin-Ticket", strings.Repeat("00", 16)}},
		} {
			for _, r := range []struct{ path, body string }{
				{sql, `{"sql":"CREATE TABLE stranger (v)"}`}, {members, `{"add":{"id":"n9","address":"a:1"}}`},
			} {
				if r.path == members && forged[0].name == "Rejoin-Ticket" {
					continue // membership changes have no tickets
				}
				refused(ask(ctx, leader, http.MethodPost, r.path, "localhost", r.body, append(forged, carry)...),
					http.StatusForbidden, embedded.CodeForbidden, "is for nodes of the cluster")
			}
		}
		for i := range c.nodes { // the nodes can still forward
			c.session(i, carry).works(ctx)
		}
	},
		Entry("with a token", "sesame"),
		Entry("without one", ""),
	)
})

var _ = Describe("An idempotency key", func() {
	var c *cluster
	const insert = "INSERT INTO t (v) VALUES (?)"
	key := func(k string) header { return header{embedded.HeaderRequest, k} }
	BeforeEach(func(ctx SpecContext) {
		c = boot(3)
		c.session(c.leader(ctx)).ok(ctx, "", "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
	})

	It("is refused for a different request, at every node", func(ctx SpecContext) {
		for i := range 3 {
			c.session(i, key("one")).ok(ctx, "", insert, "first")
			for _, other := range []string{"INSERT INTO t (v) VALUES ('second')", "DROP TABLE t", "CREATE TABLE other (v)"} {
				a := c.session(i, key("one")).do(ctx, "", other)
				Expect(a.HTTP).To(Equal(http.StatusUnprocessableEntity), a.Text)
				Expect(a.Error.Code).To(Equal(embedded.CodeKeyReused))
				Expect(a.Error.Message).To(ContainSubstring("names another request"))
				Expect(a.Error.Outcome).To(BeEmpty())
			}
			Expect(c.session(i).ok(ctx, "strong", "SELECT v FROM t").rows()).To(Equal([][]any{{"first"}}))
		}
		c.converge(ctx)
	})

	It("is accepted for only one of two different concurrent requests", func(ctx SpecContext) {
		for round := range 30 {
			var wg sync.WaitGroup
			answers := make([]answer, 6)
			for i := range answers {
				s := c.session(i%3, key(fmt.Sprint("round-", round)))
				wg.Go(func() {
					defer GinkgoRecover()
					answers[i] = s.do(ctx, "", insert, fmt.Sprint(round, " by ", i%2))
				})
			}
			wg.Wait()
			won := map[int]bool{}
			for i, a := range answers {
				if a.HTTP == http.StatusOK {
					won[i%2] = true
				} else {
					Expect(a.Error.Code).To(Equal(embedded.CodeKeyReused), a.Text)
				}
			}
			Expect(won).To(HaveLen(1))
		}
		Expect(c.session(0).count(ctx, "strong", "t")).To(Equal(30))
	})

	It("must be printable, not empty and at most 128 bytes long", func(ctx SpecContext) {
		leader := c.session(c.leader(ctx))
		for _, bad := range []struct{ key, message string }{
			{"", "header Idempotency-Key is empty"},
			{"   ", "header Idempotency-Key is empty"},
			{"k\xc3\xbc", "header Idempotency-Key is not printable ASCII"},
			{strings.Repeat("k", 129), "header Idempotency-Key is longer than 128 bytes"},
		} {
			leader.headers = []header{key(bad.key)}
			a := leader.do(ctx, "", insert, "bad")
			Expect(a.HTTP).To(Equal(http.StatusBadRequest), a.Text)
			Expect(a.Error.Message).To(ContainSubstring(bad.message))
		}
		leader.headers = []header{key(strings.Repeat("k", 128))}
		leader.ok(ctx, "", insert, "good")
		leader.ok(ctx, "", insert, "good")
		Expect(leader.count(ctx, "strong", "t")).To(Equal(1))
	})

	It("differs from the IDs that nodes give to requests, which cannot be guessed", func(ctx SpecContext) {
		for i := range 3 {
			c.session(i).ok(ctx, "", "CREATE TABLE IF NOT EXISTS u (v)")
			answer := c.session(i)
			answer.do(ctx, "", insert, "by the node's name")
		}
		named := c.session(0).ok(ctx, "strong", "SELECT hex(id) FROM rejoin_tickets").rows()
		Expect(len(named)).To(BeNumerically(">=", 3))
		seen := map[string]bool{}
		for _, row := range named {
			id := must(hex.DecodeString(row[0].(string)))
			Expect(id).To(HaveLen(16))
			Expect(bytes.Equal(id, make([]byte, 16))).To(BeFalse())
			Expect(seen).NotTo(HaveKey(string(id)))
			seen[string(id)] = true
			c.session(0, key(hex.EncodeToString(id))).ok(ctx, "", insert, "a client's key")
		}
		Expect(c.session(0).count(ctx, "strong", "t")).To(Equal(3 + len(named)))
	})
})

// lockedBuffer is a buffer that is safe for concurrent use.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
