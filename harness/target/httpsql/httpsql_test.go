package httpsql_test

import (
	"context"
	"errors"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/httpsql"
)

// all reads a whole answer: the rows of each result.
func all(rows target.Rows, err error) [][][]any {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	var results [][][]any
	for rows.NextResult() {
		result := [][]any{}
		for rows.Next() {
			row, err := rows.Row()
			Expect(err).NotTo(HaveOccurred())
			result = append(result, row)
		}
		results = append(results, result)
	}
	Expect(rows.Err()).NotTo(HaveOccurred())
	Expect(rows.Close()).To(Succeed())
	return results
}

var _ = Describe("A request", func() {
	nothing := `{"results": [{"rows": []}]}`

	It("is written by the template of a change or of a read", func(ctx SpecContext) {
		s := &server{answer: nothing}
		c := serve(s, shape())
		all(c.Query(ctx, target.Request{SQL: "INSERT INTO t VALUES (?, ?, ?, ?, ?)", ID: "k1",
			Params: []any{int64(math.MaxInt64), 2.0, nil, `q"`, []byte{0, 1}}}))
		all(c.Query(ctx, target.Request{SQL: "SELECT 1", Consistency: target.Strong}))
		all(c.Query(ctx, target.Request{SQL: "SELECT 1", Consistency: target.Local}))
		Expect(s.asked).To(Equal([]string{
			`POST /exec {"sql": "INSERT INTO t VALUES (?, ?, ?, ?, ?)", "args": [9223372036854775807,2.0,null,"q\"",{"blob":"AAE="}]}`,
			`POST /query?level=linear {"sql": "SELECT 1", "args": []}`,
			`POST /query?level=local {"sql": "SELECT 1", "args": []}`,
		}))
		Expect(s.keys).To(Equal([]string{"k1", "", ""}))
	})

	It("has each statement with its own parameters, and reals in the words of the API", func(ctx SpecContext) {
		h := shape()
		h.Real = "real"
		h.Write.Body = `[{{range $i, $s := .Statements}}{{if $i}},{{end}}[{{json $s.SQL}},{{json $s.Params}}]{{end}}]`
		s := &server{answer: nothing}
		all(serve(s, h).Query(ctx, target.Request{
			SQL: "DELETE FROM t WHERE a = ?; INSERT INTO t VALUES (?, ?)", Params: []any{int64(1), 1.5, "x"}}))
		Expect(s.asked).To(Equal([]string{`POST /exec [["DELETE FROM t WHERE a = ?",[1]],["INSERT INTO t VALUES (?, ?)",[{"real":"1.5"},"x"]]]`}))
	})

	It("has its parameters in the text where the API has none", func(ctx SpecContext) {
		h := shape()
		h.Inline = true
		s := &server{answer: nothing}
		c := serve(s, h)
		all(c.Query(ctx, target.Request{SQL: `INSERT INTO "a?" VALUES (?, '?', ?, ?, ?, ?) -- ?`,
			Params: []any{int64(math.MinInt64), 2.0, nil, "it's", []byte{255}}}))
		Expect(s.asked[0]).To(ContainSubstring(
			`INSERT INTO \"a?\" VALUES ((-9223372036854775807 - 1), '?', 2.0, NULL, 'it''s', X'ff') -- ?`))
		_, err := c.Query(ctx, target.Request{SQL: "SELECT ?", Params: []any{int64(1), int64(2)}})
		Expect(err).To(And(MatchError(ContainSubstring("2 values for 1 parameters")), MatchError(target.ErrBadRequest)))
	})

	It("is sent once, also on a kept connection that ends", func(ctx SpecContext) {
		var count atomic.Int64
		listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if count.Add(1) == 1 {
				_, _ = w.Write([]byte(nothing))
				return
			}
			connection, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = connection.Close()
			}
		}))
		DeferCleanup(listening.Close)
		h := shape()
		h.Write = described.Call{Path: "/exec"} // a GET, which net/http would send again
		api, err := httpsql.NewAPI(h)
		Expect(err).NotTo(HaveOccurred())
		c := api.New(described.Node{Name: "a"}, strings.TrimPrefix(listening.URL, "http://"), nil)
		DeferCleanup(c.Close)
		all(c.Query(ctx, target.Request{SQL: "DELETE FROM t", Params: []any{}}))
		_, err = c.Query(ctx, target.Request{SQL: "DELETE FROM t", Params: []any{}})
		Expect(err).To(MatchError(target.ErrUnreachable))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
		Expect(count.Load()).To(BeEquivalentTo(2))
	})
})

var _ = Describe("An answer", func() {
	It("has exact values", func(ctx SpecContext) {
		c := serve(&server{answer: `{"results": [{"columns": [{"name": "i", "type": "INTEGER"}, {"name": "f"}], "affected": 3,
			"rows": [[-9223372036854775808, 1e2], [9007199254740993, -0.0], [null, "t"], [true, {"blob": "AAE="}], [0, 9e999]]}]}`}, shape())
		rows, err := c.Query(ctx, target.Request{SQL: "SELECT 1"})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult()).To(BeTrue())
		Expect(rows.Columns()).To(Equal([]target.Column{{Name: "i", Type: "INTEGER"}, {Name: "f"}}))
		affected, known := rows.Affected()
		Expect([]any{affected, known}).To(Equal([]any{int64(3), true}))
		Expect(rows.Changed()).To(BeFalse())
		Expect(all(c.Query(ctx, target.Request{SQL: "SELECT 1"}))).To(Equal([][][]any{{
			{int64(math.MinInt64), 100.0}, {int64(9007199254740993), math.Copysign(0, -1)}, {nil, "t"}, {int64(1), []byte{0, 1}},
			{int64(0), math.Inf(1)},
		}}))
	})

	It("may have rows that are objects", func(ctx SpecContext) {
		h := shape()
		h.Answer = described.Answer{Rows: "data"}
		Expect(all(serve(&server{answer: `{"data": [{"b": 2, "a": 1}, {"a": 3, "b": 4}]}`}, h).Query(ctx, target.Request{SQL: "SELECT 1"}))).To(
			Equal([][][]any{{{int64(1), int64(2)}, {int64(3), int64(4)}}}))
	})

	It("gives equal encodings to equal rows only", func(ctx SpecContext) {
		c := serve(&server{answer: `{"results": [{"rows": [[1], [1.0], ["1"], [{"blob": "MQ=="}], [null], [1, null], [1]]}]}`}, shape())
		rows, err := c.Query(ctx, target.Request{SQL: "SELECT 1"})
		Expect(err).NotTo(HaveOccurred())
		Expect(rows.NextResult()).To(BeTrue())
		seen := map[string]int{}
		for rows.Next() {
			seen[string(rows.Raw())]++
		}
		Expect(seen).To(HaveLen(6))
	})

	DescribeTable("that tells an error says what became of the request",
		func(ctx SpecContext, status int, answer string, kind error, outcome target.Outcome, temporary bool, message string) {
			_, err := serve(&server{status: status, answer: answer}, shape()).Query(ctx, target.Request{SQL: "DELETE FROM t"})
			Expect(err).To(MatchError(ContainSubstring(message)))
			var e *target.Error
			Expect(errors.As(err, &e)).To(BeTrue())
			if kind == nil {
				Expect(target.KindOf(err)).To(Succeed(), "it has a kind")
			} else {
				Expect(err).To(MatchError(kind))
			}
			Expect([]any{e.Outcome, e.Temporary}).To(Equal([]any{outcome, temporary}))
		},
		Entry("by its code", 503, `{"error": {"code": "E1", "message": "elsewhere"}}`, target.ErrNoLeader,
			target.NotApplied, true, "elsewhere"),
		Entry("by its code, with status 200", 200, `{"error": {"code": "E1"}}`, target.ErrNoLeader, target.NotApplied, true, "E1"),
		Entry("by its message", 400, `{"error": {"message": "UNIQUE failed"}}`, target.ErrConstraint, target.NotApplied, false, "UNIQUE"),
		Entry("by the message of one result", 200, `{"results": [{"error": "UNIQUE failed"}]}`, target.ErrConstraint,
			target.NotApplied, false, ""),
		Entry("by its status, without JSON", 504, `<html>`, target.ErrTimeout, target.Unknown, false, "<html>"),
		Entry("not, by no rule", 500, `{"error": {"code": "E9"}}`, nil, target.Unknown, false, "E9"),
		Entry("not, if it is no JSON", 200, `{"results": [`, nil, target.Unknown, false, "not JSON"),
		Entry("not, if it is followed by something", 200, `{"results": []} x`, nil, target.Unknown, false, "more than one"),
		Entry("not, if it has no results", 200, `{}`, nil, target.Unknown, false, "results is no list"),
		Entry("not, if a value is none", 200, `{"results": [{"rows": [[[1]]]}]}`, nil, target.Unknown, false, "a value is []"),
		Entry("not, if an integer is too large", 200, `{"results": [{"rows": [[9223372036854775808]]}]}`,
			nil, target.Unknown, false, "out of range"),
	)

	It("that is incomplete is an error", func(ctx SpecContext) {
		h := shape()
		h.Answer.Complete = "done"
		_, err := serve(&server{answer: `{"results": []}`}, h).Query(ctx, target.Request{SQL: "DELETE FROM t"})
		Expect(err).To(MatchError(ContainSubstring("incomplete")))
	})

	It("that never comes was not asked for, or has an unknown outcome", func(ctx SpecContext) {
		silent, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		Expect(err).NotTo(HaveOccurred())
		api, err := httpsql.NewAPI(shape())
		Expect(err).NotTo(HaveOccurred())
		c := api.New(described.Node{Name: "a"}, silent.Addr().String(), nil)
		DeferCleanup(c.Close)
		enough := errors.New("enough")
		short, cancel := context.WithCancelCause(ctx)
		go func() {
			defer GinkgoRecover()
			accepted, err := silent.Accept()
			Expect(err).NotTo(HaveOccurred())
			_, err = accepted.Read(make([]byte, 1))
			Expect(err).NotTo(HaveOccurred())
			cancel(enough)
			Expect(accepted.Close()).To(Succeed())
		}()
		_, err = c.Query(short, target.Request{SQL: "DELETE FROM t"})
		Expect(err).To(And(MatchError(enough), MatchError(target.ErrUnreachable)))
		Expect(target.OutcomeOf(err)).To(Equal(target.Unknown))
		Expect(silent.Close()).To(Succeed())
		_, err = c.Query(ctx, target.Request{SQL: "DELETE FROM t"})
		Expect(target.OutcomeOf(err)).To(Equal(target.NotApplied))
	})
})

var _ = Describe("A call", func() {
	It("returns the document, or the error of its status", func(ctx SpecContext) {
		s := &server{answer: `{"term": 12345678901234567890, "at": [9, 1.5]}`}
		c := serve(s, shape())
		document, err := c.Call(ctx, described.Call{Path: "/status?node={{.Name}}"})
		Expect(err).NotTo(HaveOccurred())
		Expect(document).To(HaveKeyWithValue("term", BeEquivalentTo("12345678901234567890")))
		Expect(document).To(HaveKeyWithValue("at", Equal([]any{int64(9), 1.5})))
		Expect(s.asked).To(Equal([]string{"GET /status?node=a"}))
		s.status = 500
		_, err = c.Call(ctx, described.Call{Path: "/status"})
		Expect(err).To(MatchError(ContainSubstring("HTTP status 500")))
	})
})

var _ = DescribeTable("A description with a mistake is refused", func(change func(*described.HTTP), message string) {
	h := shape()
	change(&h)
	_, err := httpsql.NewAPI(h)
	Expect(err).To(MatchError(ContainSubstring(message)))
},
	Entry("in a header", func(h *described.HTTP) { h.Headers["Idempotency-Key"] = "{{" }, "header Idempotency-Key"),
	Entry("without a path", func(h *described.HTTP) { h.Write.Path = "" }, "write: the path is missing"),
	Entry("in a body", func(h *described.HTTP) { h.Read.Body = "{{x}}" }, `read: body: it is no template: 1: function "x" not defined`),
	Entry("in an outcome", func(h *described.HTTP) { h.Errors.Rules[0].Outcome = "maybe" }, `outcome "maybe" is unknown`),
	Entry("in a kind", func(h *described.HTTP) { h.Errors.Rules[0].Kind = "odd" }, `kind "odd" is unknown`),
)
