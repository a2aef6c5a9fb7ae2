package defects

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// sqlHandler answers requests for SQL in place of inner.
type sqlHandler func(inner http.Handler, w http.ResponseWriter, r *http.Request, asked wire.Request)

// inHandler is a bug in the HTTP API's answers to requests for SQL.
func inHandler(name, kind, text, about string, serve sqlHandler) Defect {
	return Defect{Name: name, Kind: kind, Text: text, About: about, seams: func(embedded.Life) embedded.Seams {
		return embedded.Seams{Handler: overSQL(serve)}
	}}
}

// overSQL wraps a handler: serve answers well-formed requests for SQL.
func overSQL(serve sqlHandler) func(http.Handler) http.Handler {
	return func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/sql") {
				inner.ServeHTTP(w, r)
				return
			}
			body, err := io.ReadAll(r.Body)
			asked, malformed := wire.DecodeRequest(bytes.NewReader(body))
			r.Body = io.NopCloser(bytes.NewReader(body))
			if err != nil || malformed != nil {
				inner.ServeHTTP(w, r)
				return
			}
			serve(inner, w, r, asked)
		})
	}
}

// asking returns the request with the body asked.
func asking(r *http.Request, asked wire.Request) *http.Request {
	body, err := asked.Append(nil)
	if err != nil {
		return r
	}
	changed := r.Clone(r.Context())
	changed.Body, changed.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return changed
}

// healthOf returns the health of the node behind the handler, with the credentials of r.
func healthOf(r *http.Request, inner http.Handler) (h embedded.Health) {
	asking := httptest.NewRequestWithContext(r.Context(), http.MethodGet, "http://localhost/v1/api/cluster/health", nil)
	asking.Header.Set("Authorization", r.Header.Get("Authorization"))
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, asking)
	_ = json.Unmarshal(answer.Body.Bytes(), &h) // the zero Health if the node does not answer
	return h
}

// changesData reports whether a request contains a statement that is not a read.
func changesData(asked wire.Request) bool {
	statements, err := sqltext.Split(asked.SQL)
	if err != nil {
		return false
	}
	for _, s := range statements {
		if !s.Reads() {
			return true
		}
	}
	return false
}

// succeed answers that every statement changed one row.
func succeed(w http.ResponseWriter, asked wire.Request) {
	w.Header().Set("Content-Type", "application/json")
	out := wire.NewWriter(w, nil)
	statements, _ := sqltext.Split(asked.SQL)
	for range statements {
		_ = out.Result(nil)
		_ = out.EndResult(1)
	}
	_ = out.Close(time.Millisecond)
}

// pass sends a recorded answer.
func pass(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}
