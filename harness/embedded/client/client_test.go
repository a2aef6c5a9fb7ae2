package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

var _ = Describe("The client", func() {
	const whole = `{"results":[{"schema":[{"name":"v","data_type":"INTEGER"}],"rows":[[1],[2]],"row_count":2,"rows_affected":2}],` +
		`"status":"success","took":1.0}`

	var net *network.Network
	var node, place *network.Host
	var c *client.Client
	BeforeEach(func() {
		net = network.TCP()
		DeferCleanup(net.Close)
		var err error
		node, err = net.Host("n0")
		Expect(err).NotTo(HaveOccurred())
		place, err = net.Host("client")
		Expect(err).NotTo(HaveOccurred())
		c = client.New("n0", node.Addr(), "sesame", place)
		DeferCleanup(c.Close)
	})

	// serve handles the requests to the node.
	serve := func(handle http.HandlerFunc) {
		GinkgoHelper()
		listener, err := node.Listen()
		Expect(err).NotTo(HaveOccurred())
		server := &http.Server{Handler: handle}
		done := make(chan struct{})
		go func() { _ = server.Serve(listener); close(done) }()
		DeferCleanup(func() { Expect(server.Close()).To(Succeed()); <-done })
	}
	// answer returns a handler that always sends the same answer.
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	insert := target.Request{SQL: "INSERT INTO t VALUES (1) RETURNING v"}
	// run sends a request, reads the whole answer and returns its number of rows.
	run := func(ctx context.Context) (rows int, err error) {
		answer, err := c.Query(ctx, insert)
		if err != nil {
			return 0, err
		}
		defer answer.Close()
		for answer.NextResult() {
			for answer.Next() {
				rows++
			}
		}
		return rows, answer.Err()
	}
	failure := func(err error) *target.Error {
		GinkgoHelper()
		var e *target.Error
		Expect(errors.As(err, &e)).To(BeTrue(), "%T: %v", err, err)
		Expect(e.Node).To(Equal("n0"))
		return e
	}

	It("sends a request, and returns the answer", func(ctx SpecContext) {
		serve(func(w http.ResponseWriter, r *http.Request) {
			defer GinkgoRecover()
			body, err := io.ReadAll(r.Body)
			Expect(err).NotTo(HaveOccurred())
			Expect(r.Method + " " + r.URL.Path).To(Equal("POST /v1/api/sql"))
			Expect(r.Header.Get("Authorization")).To(Equal("Bearer sesame"))
			Expect(string(body)).To(MatchJSON(`{"sql":"SELECT ?","params":[{"base64":"AA=="}],"consistency":"strong"}`))
			_, _ = io.WriteString(w, whole)
		})
		rows, err := c.Query(ctx, target.Request{SQL: "SELECT ?", Params: []any{[]byte{0}}, Consistency: target.Strong})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult()).To(BeTrue())
		Expect(rows.Columns()).To(Equal([]target.Column{{Name: "v", Type: "INTEGER"}}))
		Expect(rows.Next()).To(BeTrue())
		Expect(rows.Row()).To(Equal([]any{int64(1)}))
		Expect(rows.Next()).To(BeTrue())
		Expect(rows.Next()).To(BeFalse())
		affected, known := rows.Affected()
		Expect(known).To(BeTrue())
		Expect(affected).To(BeEquivalentTo(2))
		Expect(rows.NextResult()).To(BeFalse())
		Expect(rows.Err()).NotTo(HaveOccurred())
		Expect(rows.Close()).To(Succeed())
	})

	DescribeTable("reports the outcome that the node reports", func(ctx SpecContext, status int, outcome string, want target.Outcome) {
		serve(answer(status, fmt.Sprintf(`{"status":"error","error":{"code":"SOME","message":"why"%s}}`, outcome)))
		_, err := run(ctx)
		e := failure(err)
		Expect(e.Code).To(Equal("SOME"))
		Expect(e.Message).To(Equal("why"))
		Expect(e.Outcome).To(Equal(want))
	},
		Entry("refused", 400, "", target.NotApplied),
		Entry("unavailable", 503, "", target.NotApplied),
		Entry("unknown", 503, `,"outcome":"unknown"`, target.Unknown),
		Entry("applied", 503, `,"outcome":"applied"`, target.Applied),
		Entry("an unrecognized outcome", 503, `,"outcome":"later"`, target.Unknown),
		Entry("failed while streaming", 200, `,"outcome":"unknown"`, target.Unknown),
	)

	DescribeTable("reports an unknown outcome for an invalid answer", func(ctx SpecContext, status int, body string) {
		serve(answer(status, body))
		_, err := run(ctx)
		Expect(failure(err).Outcome).To(Equal(target.Unknown))
	},
		Entry("a proxy's error page", 502, "<html>Bad Gateway</html>"),
		Entry("an empty error", 500, ""),
		Entry("a success in the body, an error in the status code", 500, whole),
		Entry("an empty success", 200, ""),
		Entry("half an answer", 200, whole[:len(whole)/2]),
		Entry("an answer without its last brace", 200, whole[:len(whole)-1]),
		Entry("half an error", 503, `{"status":"error","error":{"code":"NO_LEA`),
		Entry("two answers", 200, whole+whole),
	)

	It("does not accept any prefix of an answer as complete", func(ctx SpecContext) {
		var size int
		serve(func(w http.ResponseWriter, r *http.Request) { answer(200, whole[:size])(w, r) })
		for size = range len(whole) {
			_, err := run(ctx)
			Expect(err).To(HaveOccurred(), whole[:size])
		}
		size = len(whole)
		Expect(run(ctx)).To(Equal(2))
	})

	It("detects an answer that was cut off in transit", func(ctx SpecContext) {
		serve(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, whole[:len(whole)-1])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		rows, err := run(ctx)
		Expect(rows).To(Equal(2))
		e := failure(err)
		Expect(e.Code).To(Equal(client.CodeUnreachable))
		Expect(e.Outcome).To(Equal(target.Unknown))
	})

	When("the node cannot be reached", func() {
		notApplied := func(ctx context.Context) {
			GinkgoHelper()
			_, err := run(ctx)
			e := failure(err)
			Expect(e.Code).To(Equal(client.CodeUnreachable))
			Expect(e.Outcome).To(Equal(target.NotApplied))
			_, err = c.Health(ctx)
			Expect(failure(err).Code).To(Equal(client.CodeUnreachable))
		}

		It("reports that nothing was applied if nothing listens", func(ctx SpecContext) { notApplied(ctx) })

		It("reports that nothing was applied if its connection is refused", func(ctx SpecContext) {
			serve(answer(200, whole))
			Expect(net.Between("client", "n0").Cut(fault.Refuse)).To(Succeed())
			notApplied(ctx)
		})

		It("reports that nothing was applied if it never connected", func(ctx SpecContext) {
			serve(answer(200, whole))
			Expect(net.Between("client", "n0").Cut(fault.Drop)).To(Succeed())
			brief, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
			defer cancel()
			notApplied(brief)
		})
	})

	When("the request was sent", func() {
		// arrived receives a value for each request; no request is answered before its client disconnects.
		var arrived chan struct{}
		BeforeEach(func() {
			arrived = make(chan struct{}, 1)
			serve(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				arrived <- struct{}{}
				<-r.Context().Done()
			})
		})

		It("reports an unknown outcome after a reset", func(ctx SpecContext) {
			done := make(chan error, 1)
			go func() { _, err := run(ctx); done <- err }()
			Eventually(arrived).Should(Receive())
			place.Reset()
			var err error
			Eventually(done).Should(Receive(&err))
			e := failure(err)
			Expect(e.Code).To(Equal(client.CodeUnreachable))
			Expect(e.Outcome).To(Equal(target.Unknown))
		})

		It("returns when its context ends, with an unknown outcome", func(ctx SpecContext) {
			going, cancel := context.WithCancel(ctx)
			done := make(chan error, 1)
			go func() { _, err := run(going); done <- err }()
			Eventually(arrived).Should(Receive())
			cancel()
			var err error
			Eventually(done).Should(Receive(&err))
			Expect(err).To(MatchError(context.Canceled))
			Expect(failure(err).Outcome).To(Equal(target.Unknown))
		})
	})

	It("stops reading an answer when its context ends, and disconnects from the node", func(ctx SpecContext) {
		gone := make(chan struct{})
		serve(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, whole[:strings.Index(whole, ",[2]")])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			close(gone)
		})
		going, cancel := context.WithCancel(ctx)
		defer cancel()
		rows, err := c.Query(going, insert)
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult()).To(BeTrue())
		Expect(rows.Next()).To(BeTrue())
		cancel()
		Expect(rows.Next()).To(BeFalse())
		Expect(rows.Err()).To(MatchError(context.Canceled))
		Expect(failure(rows.Err()).Outcome).To(Equal(target.Unknown))
		Expect(rows.Close()).To(Succeed())
		Eventually(gone).Should(BeClosed())
	})

	It("disconnects from the node if an answer is closed early", func(ctx SpecContext) {
		gone := make(chan struct{})
		serve(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, whole[:strings.Index(whole, ",[2]")])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			close(gone)
		})
		rows, err := c.Query(ctx, insert)
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult()).To(BeTrue())
		Expect(rows.Close()).To(Succeed())
		Eventually(gone).Should(BeClosed())
	})

	It("does not send invalid requests", func(ctx SpecContext) {
		_, err := c.Query(ctx, target.Request{SQL: "SELECT ?", Params: []any{struct{}{}}})
		Expect(failure(err).Outcome).To(Equal(target.NotApplied))
		_, err = c.Query(ctx, target.Request{SQL: "SELECT 1", Consistency: "weak"})
		Expect(failure(err).Outcome).To(Equal(target.NotApplied))
	})

	It("reuses its connection after an answer and after an error", func(ctx SpecContext) {
		from := make(map[string]bool)
		n := 0
		serve(func(w http.ResponseWriter, r *http.Request) {
			from[r.RemoteAddr] = true
			if n++; n%2 == 0 {
				answer(400, `{"status":"error","error":{"code":"SQL_ERROR","message":"no"}}`)(w, r)
			} else {
				answer(200, whole)(w, r)
			}
		})
		for range 10 {
			_, _ = run(ctx)
		}
		Expect(from).To(HaveLen(1))
	})

	It("requests the health of the node", func(ctx SpecContext) {
		status, body := http.StatusOK, `{"id":"n0","state":"online","last_contact_ms":1.5,"term":3}`
		serve(func(w http.ResponseWriter, r *http.Request) { answer(status, body)(w, r) })
		health, err := c.Health(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(client.Status(health, "a:1")).To(Equal(target.Status{
			ID: "n0", Address: "a:1", State: target.Online, Term: 3, LastContact: 1500 * time.Microsecond,
		}))
		Expect(client.Status(embedded.Health{LastContact: -1}, "").LastContact).To(BeNumerically("<", 0))
		body = "{"
		_, err = c.Health(ctx)
		Expect(failure(err).Code).To(Equal("MALFORMED"))
		status = http.StatusUnauthorized
		_, err = c.Health(ctx)
		Expect(err).To(MatchError(ContainSubstring("401")))
	})
})
