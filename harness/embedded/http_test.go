package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

func requestTimeout(d time.Duration) tweak {
	return func(c *embedded.Config) { c.RequestTimeout = d }
}

var _ = Describe("The HTTP endpoint", func() {
	const sqlPath = "/v1/api/sql"
	var c *cluster
	var s *session

	single := func(ctx context.Context, tweaks ...tweak) {
		c = boot(1, tweaks...)
		s = c.session(0)
		s.works(ctx)
	}
	send := func(ctx context.Context, method, path, body string, headers ...header) answer {
		GinkgoHelper()
		return must(c.try(ctx, s.client, 0, method, path, body, headers...))
	}

	It("answers SQL with a result for each statement", func(ctx SpecContext) {
		single(ctx)
		a := send(ctx, http.MethodPost, sqlPath, `{"sql":"SELECT ? AS a, 2.0; SELECT 'x' AS b WHERE 0","params":[1]}`)
		Expect(a.HTTP).To(Equal(http.StatusOK))
		Expect(a.Header.Get("Content-Type")).To(Equal("application/json"))
		Expect(a.Status).To(Equal("success"))
		Expect(*a.Took).To(BeNumerically(">", 0))
		Expect(a.Results).To(HaveLen(2))
		Expect(a.Results[0].Schema[0].Name).To(Equal("a"))
		Expect(a.Results[0].Schema[0].Type).To(Equal("INTEGER"))
		Expect(a.rows()).To(Equal([][]any{{1.0, 2.0}}))
		Expect(a.Results[0].RowCount).To(Equal(1))
		Expect(a.Results[0].Affected).To(BeNil())
		Expect(a.Results[1].Rows).To(BeEmpty())
	})

	It("reports its health and the cluster's", func(ctx SpecContext) {
		single(ctx)
		a := send(ctx, http.MethodGet, "/v1/api/healthcheck", "")
		Expect(a.HTTP).To(Equal(http.StatusOK))
		Expect(a.Text).To(MatchJSON(fmt.Sprintf(`{"status":"healthy","version":%q}`, embedded.Version)))
		a = send(ctx, http.MethodGet, "/v1/api/cluster/health", "")
		Expect(a.HTTP).To(Equal(http.StatusOK))
		for _, key := range []string{
			"id", "state", "role", "leader", "term", "commit_index", "applied_index", "last_contact_ms", "peers", "version",
		} {
			Expect(a.Text).To(ContainSubstring(fmt.Sprintf("%q:", key)))
		}
		Eventually(ctx, c.nodes[0].Health).Should(HaveField("State", embedded.Online), "the entry of the leader's own term is applied")
		health := c.nodes[0].Health()
		Expect(health.Role).To(Equal("leader"))
		Expect(health.Leader).To(Equal("n0"))
		Expect(health.Peers).To(Equal([]embedded.Member{{ID: "n0", Address: c.hosts[0].Addr(), Voter: true}}))
		Expect(health.AppliedIndex).To(Equal(health.CommitIndex))
		Expect(health.LastContact).To(BeZero())
	})

	It("refuses invalid requests with a reason, and continues", func(ctx SpecContext) {
		single(ctx, func(c *embedded.Config) { c.MaxBody = 1 << 20 })
		body := func(sql string) string { return fmt.Sprintf(`{"sql":%q}`, sql) }
		for _, bad := range []struct {
			method, path, body string
			status             int
			code, message      string
		}{
			{"GET", sqlPath, "", 405, embedded.CodeMethod, "requires method POST, not GET"},
			{"POST", "/v1/api/healthcheck", "", 405, embedded.CodeMethod, "requires method GET, not POST"},
			{"DELETE", "/v1/api/cluster/health", "", 405, embedded.CodeMethod, "requires method GET"},
			{"GET", "/", "", 404, embedded.CodeNotFound, "no such path: /"},
			{"POST", "/v1/api/sql/", "{}", 404, embedded.CodeNotFound, "no such path"},
			{"POST", sqlPath, "", 400, embedded.CodeBadRequest, "empty or ends early"},
			{"POST", sqlPath, `{"sql":`, 400, embedded.CodeBadRequest, "ends early"},
			{"POST", sqlPath, `{"sql":"SELECT 1"} x`, 400, embedded.CodeBadRequest, "trailing data"},
			{"POST", sqlPath, `[]`, 400, embedded.CodeBadRequest, "must be an object"},
			{"POST", sqlPath, `{"sql":1}`, 400, embedded.CodeBadRequest, "must be a string"},
			{"POST", sqlPath, `{}`, 400, embedded.CodeBadRequest, `no "sql"`},
			{"POST", sqlPath, `{"sql":"SELECT 1","paramz":[]}`, 400, embedded.CodeBadRequest, "unknown key"},
			{"POST", sqlPath, `{"sql":"SELECT 1","consistency":"weak"}`, 400, embedded.CodeBadRequest, "local, leader or strong"},
			{"POST", sqlPath, body(""), 400, embedded.CodeBadRequest, "no statement"},
			{"POST", sqlPath, body(" ; -- nothing"), 400, embedded.CodeBadRequest, "no statement"},
			{"POST", sqlPath, `{"sql":"SELECT ?"}`, 400, embedded.CodeParams, "need 1 parameter, 0 were given"},
			{"POST", sqlPath, `{"sql":"SELECT ?","params":[1,2]}`, 400, embedded.CodeParams, "need 1 parameter, 2 were given"},
			{"POST", sqlPath, `{"sql":"INSERT INTO works VALUES (?)"}`, 400, embedded.CodeParams, "need 1 parameter"},
			{"POST", sqlPath, `{"sql":"INSERT INTO works VALUES (?)","params":[100000,2]}`, 400, embedded.CodeParams, "2 were given"},
			{"POST", sqlPath, `{"sql":"SELECT ?","params":[[1]]}`, 400, embedded.CodeBadRequest, "parameter 1"},
			{"POST", sqlPath, body(strings.Repeat("x", 1<<20)), 413, embedded.CodeTooLarge, "larger than 1048576 bytes"},
			{"POST", sqlPath, body("SELECT missing"), 400, embedded.CodeSQL, "no such column: missing"},
			{"POST", sqlPath, body("SELEC 1"), 400, embedded.CodeSQL, "syntax error"},
			{"POST", sqlPath, body("INSERT INTO absent VALUES (1)"), 400, embedded.CodeSQL, "no such table: absent"},
			{"POST", sqlPath, body("SELECT * FROM absent.t"), 400, embedded.CodeNamespace, "absent"},
			{"POST", sqlPath, body("INSERT INTO absent.t VALUES (1)"), 400, embedded.CodeNamespace, "absent"},
			{"POST", sqlPath, body("DROP NAMESPACE absent"), 400, embedded.CodeNamespace, "absent"},
			{"POST", sqlPath, body("ATTACH 'x' AS y"), 400, embedded.CodeRefused, "reaches outside the database"},
			{"POST", sqlPath, body("PRAGMA journal_mode"), 400, embedded.CodeRefused, "PRAGMA journal_mode is refused"},
			{"POST", sqlPath, body("VACUUM"), 400, embedded.CodeRefused, "VACUUM is refused"},
			{"POST", sqlPath, body("VACUUM INTO 'x'"), 400, embedded.CodeRefused, "VACUUM is refused"},
			{"POST", sqlPath, body("BEGIN"), 400, embedded.CodeRefused, "BEGIN is refused"},
			{"POST", sqlPath, body("SELECT load_extension('x')"), 400, embedded.CodeRefused, "load_extension() is refused"},
			{"POST", sqlPath, body("SELECT * FROM pragma_journal_mode"), 400, embedded.CodeRefused, "refused"},
			{"POST", sqlPath, body("INSERT INTO works SELECT load_extension('x')"), 400, embedded.CodeRefused, "load_extension() is refused"},
			{"POST", sqlPath, body("DELETE FROM rejoin_applied"), 400, embedded.CodeRefused, "belong to the database itself"},
		} {
			By(fmt.Sprintf("%s %s %.60s", bad.method, bad.path, bad.body))
			a := send(ctx, bad.method, bad.path, bad.body)
			Expect(a.HTTP).To(Equal(bad.status), a.Text)
			Expect(a.Header.Get("Content-Type")).To(Equal("application/json"))
			Expect(a.Status).To(Equal("error"))
			Expect(a.Error.Code).To(Equal(bad.code), a.Text)
			Expect(a.Error.Message).To(ContainSubstring(bad.message))
			Expect(a.Error.Outcome).To(BeEmpty())
			s.works(ctx)
		}
		a := send(ctx, http.MethodPost, sqlPath, body("SELECT 1"), header{"Idempotency-Key", strings.Repeat("k", 129)})
		Expect(a.HTTP).To(Equal(http.StatusBadRequest))
		Expect(a.Error.Message).To(ContainSubstring("Idempotency-Key is longer than 128 bytes"))
		s.works(ctx)
	})

	It("answers on a connection that was idle for longer than the request timeout", func(ctx SpecContext) {
		single(ctx, requestTimeout(50*time.Millisecond))
		for _, next := range []func() answer{
			func() answer { return s.do(ctx, "", "SELEC 1") },
			func() answer { return s.do(ctx, "", "INSERT INTO absent VALUES (1)") },
			func() answer { return send(ctx, http.MethodGet, "/v1/api/healthcheck", "") },
			func() answer { return send(ctx, http.MethodGet, "/nowhere", "") },
		} {
			s.ok(ctx, "local", "SELECT 1")
			idle := time.NewTimer(80 * time.Millisecond)
			Eventually(ctx, idle.C).Should(Receive())
			Expect(next().Text).NotTo(BeEmpty())
		}
	})

	When("it has a token", func() {
		const token = "sesame"
		BeforeEach(func() {
			c = boot(3, func(c *embedded.Config) { c.Token = token })
		})

		It("admits requests with the token, and health checks", func(ctx SpecContext) {
			leader := c.leader(ctx)
			for _, wrong := range []string{"", "Bearer", "Bearer other", "Bearer sesame2", "sesame", "Basic sesame"} {
				for _, path := range []string{sqlPath, "/v1/api/cluster/health", "/v1/api/cluster/read-index", "/nowhere"} {
					a := must(c.try(ctx, c.client(), leader, http.MethodPost, path, `{"sql":"SELECT 1"}`, header{"Authorization", wrong}))
					Expect(a.HTTP).To(Equal(http.StatusUnauthorized), "%s with %q", path, wrong)
					Expect(a.Error.Code).To(Equal(embedded.CodeUnauthorized))
					Expect(a.Header.Get("WWW-Authenticate")).To(Equal("Bearer"))
				}
			}
			Expect(must(c.try(ctx, c.client(), leader, http.MethodGet, "/v1/api/healthcheck", "")).HTTP).To(Equal(http.StatusOK))
			for i := range 3 {
				c.session(i, header{"Authorization", "Bearer " + token}).works(ctx)
			}
		})

		It("excludes a node with a different token", func(ctx SpecContext) {
			leader := c.leader(ctx)
			stranger := c.but(leader)[0]
			Expect(c.nodes[stranger].Close()).To(Succeed())
			c.configs[stranger].Token = "another"
			c.start(stranger)
			before := c.nodes[stranger].Health()
			Consistently(ctx, func() embedded.State { return c.nodes[stranger].Health().State }, "500ms", "5ms").Should(Equal(embedded.Connecting))
			c.session(leader, header{"Authorization", "Bearer " + token}).works(ctx)
			after := c.nodes[stranger].Health()
			Expect(after.Term).To(Equal(before.Term), "the stranger was given a vote, or heard a leader")
			Expect(after.CommitIndex).To(Equal(before.CommitIndex), "the stranger was sent entries")
			Expect(c.nodes[stranger].Close()).To(Succeed())
			c.configs[stranger].Token = token
			c.start(stranger)
			c.leader(ctx)
			c.session(stranger, header{"Authorization", "Bearer " + token}).works(ctx)
		})
	})
})
