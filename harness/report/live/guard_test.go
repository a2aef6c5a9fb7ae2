package live_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/internal/fake"
	"github.com/rejoin-db/rejoin/harness/report/live"
)

var _ = Describe("The guard", func() {
	var p *player
	BeforeEach(func(ctx SpecContext) { p, _ = playFake(ctx) })

	everything := []string{"GET state?since=0", "GET trace?since=0", "POST do", "POST sql", "POST rows", "POST load", "POST judge"}

	It("refuses all but the page without the token", func(ctx SpecContext) {
		for _, request := range everything {
			method, path, _ := strings.Cut(request, " ")
			for _, wrong := range []string{"", "Bearer", "Bearer ", "Bearer " + token + "x", "Bearer " + token[1:], "Basic " + token, token} {
				a := p.send(ctx, method, path, "{}", "Authorization", wrong)
				Expect(a.status).To(Equal(http.StatusUnauthorized), request+" with "+wrong)
				Expect(a.header.Get("WWW-Authenticate")).To(Equal("Bearer"))
				Expect(a.body).To(ContainSubstring("The token is missing or wrong"))
			}
			Expect(p.send(ctx, method, path, "{}").status).NotTo(Equal(http.StatusUnauthorized), request)
		}
		page := p.send(ctx, http.MethodGet, "", "", "Authorization", "")
		Expect(page.status).To(Equal(http.StatusOK))
		Expect(page.body).NotTo(ContainSubstring(token), "the page has the token")
	}, patience)

	It("takes the token from no address", func(ctx SpecContext) {
		Expect(p.send(ctx, http.MethodGet, "state?since=0&token="+strings.ReplaceAll(token, " ", "+"), "", "Authorization", "").status).
			To(Equal(http.StatusUnauthorized))
	}, patience)

	DescribeTable("refuses other names than those of loopback, the page too", func(ctx SpecContext, name string, status int) {
		_, port, err := net.SplitHostPort(strings.Trim(strings.TrimPrefix(p.url, "http://"), "/"))
		Expect(err).NotTo(HaveOccurred())
		host := strings.ReplaceAll(name, "PORT", port)
		for _, path := range []string{"", "state?since=0"} {
			Expect(p.send(ctx, http.MethodGet, path, "", "Host", host).status).To(Equal(status), path)
		}
	},
		Entry("its own", "127.0.0.1:PORT", http.StatusOK, patience),
		Entry("localhost", "localhost:PORT", http.StatusOK, patience),
		Entry("the address of loopback in IPv6", "[::1]:PORT", http.StatusOK, patience),
		Entry("of a site that is resolved to loopback", "rejoin.example:PORT", http.StatusForbidden, patience),
		Entry("that begin like it", "127.0.0.1.example:PORT", http.StatusForbidden, patience),
		Entry("of a subdomain", "localhost.example:PORT", http.StatusForbidden, patience),
		Entry("of another port", "127.0.0.1:1", http.StatusForbidden, patience),
		Entry("without a port", "127.0.0.1", http.StatusForbidden, patience),
		Entry("of an address elsewhere", "192.0.2.1:PORT", http.StatusForbidden, patience),
	)

	DescribeTable("refuses what comes from elsewhere, even with the token", func(ctx SpecContext, status int, headers ...string) {
		for i := range headers {
			headers[i] = strings.ReplaceAll(headers[i], "OWN", strings.Trim(p.url, "/"))
		}
		a := p.send(ctx, http.MethodPost, "do", `{"do": "heal"}`, headers...)
		Expect(a.status).To(Equal(status), a.body)
		if status != http.StatusOK {
			Expect(a.header.Get("Access-Control-Allow-Origin")).To(BeEmpty())
		}
	},
		Entry("the page", http.StatusOK, "Origin", "OWN", "Sec-Fetch-Site", "same-origin", patience),
		Entry("no page", http.StatusOK, "Origin", "", patience),
		Entry("another site", http.StatusForbidden, "Origin", "http://rejoin.example", patience),
		Entry("another port of loopback", http.StatusForbidden, "Origin", "http://127.0.0.1:1", patience),
		Entry("another scheme", http.StatusForbidden, "Origin", "https://127.0.0.1", patience),
		Entry("a page without an origin", http.StatusForbidden, "Origin", "null", patience),
		Entry("what is no origin", http.StatusForbidden, "Origin", "%", patience),
		Entry("another site, without an origin", http.StatusForbidden, "Sec-Fetch-Site", "cross-site", patience),
		Entry("another site that pretends to navigate", http.StatusForbidden,
			"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", patience),
	)

	It("lets a link from elsewhere open the page, and nothing else", func(ctx SpecContext) {
		from := []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}
		Expect(p.send(ctx, http.MethodGet, "", "", from...).status).To(Equal(http.StatusOK))
		Expect(p.send(ctx, http.MethodGet, "state?since=0", "", from...).status).To(Equal(http.StatusForbidden))
		Expect(p.send(ctx, http.MethodGet, "", "", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors").status).
			To(Equal(http.StatusForbidden))
	}, patience)

	It("has no other paths, and each with its method only", func(ctx SpecContext) {
		Expect(p.send(ctx, http.MethodGet, "favicon.ico", "").status).To(Equal(http.StatusNotFound))
		Expect(p.send(ctx, http.MethodGet, "do", "").status).To(Equal(http.StatusMethodNotAllowed))
		Expect(p.send(ctx, http.MethodOptions, "do", "").status).To(Equal(http.StatusMethodNotAllowed))
	}, patience)

	It("takes JSON only, of a bounded size, and nothing that it does not know", func(ctx SpecContext) {
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"} {
			Expect(p.send(ctx, http.MethodPost, "do", `{"do": "heal"}`, "Content-Type", kind).status).
				To(Equal(http.StatusUnsupportedMediaType), kind)
		}
		Expect(p.refused(ctx, "do", `{"do": "heal", "x": 1}`, http.StatusBadRequest)).To(ContainSubstring(`unknown field "x"`))
		Expect(p.refused(ctx, "do", `{"do": "heal"} {}`, http.StatusBadRequest)).To(ContainSubstring("more than one value"))
		Expect(p.refused(ctx, "do", `{"do": `, http.StatusBadRequest)).To(ContainSubstring("The body is not understood"))
		Expect(p.refused(ctx, "sql", `{"sql": "`+strings.Repeat("x", 2<<20)+`"}`, http.StatusBadRequest)).To(ContainSubstring("too large"))
	}, patience)

	It("keeps the page from loading anything, and from being framed", func(ctx SpecContext) {
		a := p.send(ctx, http.MethodGet, "", "")
		Expect(a.header.Get("Content-Security-Policy")).To(And(ContainSubstring("default-src 'none'"), ContainSubstring("connect-src 'self'"),
			ContainSubstring("frame-ancestors 'none'")))
		Expect(a.header.Get("Cache-Control")).To(Equal("no-store"))
		Expect(a.header.Get("Referrer-Policy")).To(Equal("no-referrer"))
		Expect(a.body).NotTo(MatchRegexp(`(src|href)=["']?https?:`))
	}, patience)

	It("serves on loopback only", func(ctx SpecContext) {
		c, err := harness.Boot(ctx, &fake.Target{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(c.Close)
		page, err := live.New(c, live.Options{Token: token})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(page.Close)
		recorder := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, "/", nil) // it came by no connection
		page.ServeHTTP(recorder, request)
		Expect(recorder.Code).To(Equal(http.StatusForbidden))
		_, err = live.New(c, live.Options{})
		Expect(err).To(MatchError("a live page needs a token"))
	}, patience)
})
