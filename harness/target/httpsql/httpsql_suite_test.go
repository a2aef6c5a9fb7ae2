package httpsql_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/rejoin-db/rejoin/harness/target/described"
	"github.com/rejoin-db/rejoin/harness/target/httpsql"
)

func TestHTTPSQL(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "HTTP SQL")
}

var _ = BeforeEach(func() {
	before := gleak.Goroutines()
	DeferCleanup(func() { Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(before)) })
})

// server answers every request alike, and keeps what it was asked.
type server struct {
	status int
	answer string

	mu    sync.Mutex
	asked []string // method, path and body of each request
	keys  []string // the Idempotency-Key of each
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+string(body)))
	s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
	w.WriteHeader(max(s.status, http.StatusOK))
	_, _ = io.WriteString(w, s.answer)
}

// shape is an API with rows in lists and blobs in objects.
func shape() described.HTTP {
	return described.HTTP{
		Headers: map[string]string{"Idempotency-Key": "{{.ID}}"},
		Write:   described.Call{Path: "/exec", Body: `{"sql": {{json .SQL}}, "args": {{json .Params}}}`},
		Read:    &described.Call{Path: "/query?level={{urlquery .Level}}", Body: `{"sql": {{json .SQL}}, "args": {{json .Params}}}`},
		Levels:  map[string]string{"strong": "linear", "default": "none"},
		Blob:    "blob",
		Answer: described.Answer{Results: "results", Columns: "columns", ColumnName: "name", ColumnType: "type", Rows: "rows",
			Affected: "affected"},
		Errors: described.Errors{Code: "error.code", Message: "error.message", Result: "error", Rules: []described.Rule{
			{Code: "E1", Outcome: "not-applied", Kind: "no-leader", Temporary: true},
			{Contains: "UNIQUE", Outcome: "not-applied", Kind: "constraint"},
			{Status: 504, Outcome: "unknown", Kind: "timeout"},
		}},
	}
}

// serve returns a client of the server.
func serve(s *server, h described.HTTP) *httpsql.Client {
	GinkgoHelper()
	api, err := httpsql.NewAPI(h)
	Expect(err).NotTo(HaveOccurred())
	listening := httptest.NewServer(s)
	DeferCleanup(listening.Close)
	client := api.New(described.Node{Name: "a"}, strings.TrimPrefix(listening.URL, "http://"), nil)
	DeferCleanup(client.Close)
	return client
}
