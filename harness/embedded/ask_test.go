package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/embedded"
)

// answer is a decoded response of the HTTP endpoint.
type answer struct {
	HTTP    int         `json:"-"`
	Header  http.Header `json:"-"`
	Text    string      `json:"-"`
	Results []struct {
		Schema []struct {
			Name string `json:"name"`
			Type string `json:"data_type"`
		} `json:"schema"`
		Rows     [][]any `json:"rows"`
		RowCount int     `json:"row_count"`
		Affected *int    `json:"rows_affected"`
	} `json:"results"`
	Status string   `json:"status"`
	Took   *float64 `json:"took"`
	Error  *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Outcome string `json:"outcome"`
	} `json:"error"`
}

// rows returns the rows of the first result.
func (a answer) rows() [][]any { return a.Results[0].Rows }

// client returns a client with its own connections, which are closed after the spec.
func (c *cluster) client() *http.Client {
	transport := &http.Transport{DialContext: c.clients.DialContext, MaxIdleConnsPerHost: 64}
	DeferCleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// header is one header of a request.
type header struct{ name, value string }

// try sends a request and reads the answer, which must be JSON.
func (c *cluster) try(ctx context.Context, client *http.Client, i int, method, path, body string, headers ...header) (a answer, err error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.hosts[i].Addr()+path, strings.NewReader(body))
	if err != nil {
		return a, err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		request.Header.Set(h.name, h.value)
	}
	response, err := client.Do(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	return readAnswer(response)
}

func readAnswer(response *http.Response) (a answer, err error) {
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return a, err
	}
	err = json.Unmarshal(text, &a)
	a.HTTP, a.Header, a.Text = response.StatusCode, response.Header, string(text)
	return a, err
}

// session is a client of one node.
type session struct {
	cluster *cluster
	client  *http.Client
	node    int
	headers []header
}

func (c *cluster) session(node int, headers ...header) *session {
	return &session{cluster: c, client: c.client(), node: node, headers: headers}
}

// do sends SQL with a consistency ("" for the default) and expects an answer, successful or not.
func (s *session) do(ctx context.Context, consistency, sql string, params ...any) answer {
	GinkgoHelper()
	a, err := s.tryDo(ctx, consistency, sql, params...)
	Expect(err).NotTo(HaveOccurred(), "node %d, %s", s.node, sql)
	return a
}

func (s *session) tryDo(ctx context.Context, consistency, sql string, params ...any) (answer, error) {
	body := map[string]any{"sql": sql}
	if len(params) > 0 {
		body["params"] = params
	}
	if consistency != "" {
		body["consistency"] = consistency
	}
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	return s.cluster.try(ctx, s.client, s.node, http.MethodPost, "/v1/api/sql", string(text), s.headers...)
}

// ok sends SQL and expects success. Like a careful client, it retries temporary errors with the same
// key: on a busy machine a leader may lose leadership without a fault.
func (s *session) ok(ctx context.Context, consistency, sql string, params ...any) answer {
	GinkgoHelper()
	named := *s
	named.headers = append([]header{{embedded.HeaderRequest, fmt.Sprintf("spec-%d", requests.Add(1))}}, s.headers...) // the session's key wins
	var a answer
	Eventually(ctx, func() bool {
		a = named.do(ctx, consistency, sql, params...)
		return a.HTTP == http.StatusServiceUnavailable && embedded.Temporary(a.Error.Code)
	}).Should(BeFalse(), func() string { return a.Text })
	Expect(a.HTTP).To(Equal(http.StatusOK), a.Text)
	Expect(a.Status).To(Equal("success"), a.Text)
	return a
}

// requests numbers the keys of requests.
var requests atomic.Int64

// count returns the number of rows in a table as the node sees it.
func (s *session) count(ctx context.Context, consistency, table string) int {
	GinkgoHelper()
	return int(s.ok(ctx, consistency, "SELECT count(*) FROM "+table).rows()[0][0].(float64))
}

// works expects that the node accepts writes and reads.
func (s *session) works(ctx context.Context) {
	GinkgoHelper()
	s.ok(ctx, "", "CREATE TABLE IF NOT EXISTS works (id INTEGER PRIMARY KEY)")
	before := s.count(ctx, "strong", "works")
	s.ok(ctx, "", "INSERT INTO works DEFAULT VALUES")
	Expect(s.count(ctx, "strong", "works")).To(Equal(before + 1))
}

func itoa(n int) string { return strconv.Itoa(n) }
