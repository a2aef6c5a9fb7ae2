package specs

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/rejoin-db/rejoin/harness/target"
)

// The paths of target.HTTPAPI.
const (
	sqlPath         = "/v1/api/sql"
	membersPath     = "/v1/api/cluster/members"
	healthPath      = "/v1/api/cluster/health"
	readIndexPath   = "/v1/api/cluster/read-index"
	healthcheckPath = "/v1/api/healthcheck"
)

// asked is an HTTP request, sent without anything else.
type asked struct {
	method, path, body string
	host               string // header Host; the node's address if empty
	headers            map[string]string
}

func (a asked) String() string { return a.method + " " + a.path + " " + a.body }

// with is the request with additional headers.
func (a asked) with(headers map[string]string) asked {
	all := maps.Clone(a.headers)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, headers)
	a.headers = all
	return a
}

// answered is a node's answer.
type answered struct {
	status int
	code   string // of an error
	body   string
}

const (
	errorHeader = "Rejoin-Error"
	jsonType    = "application/json"
)

// ask sends a request to a node on a new connection.
func (env *environment) ask(ctx context.Context, node int, a asked) answered {
	GinkgoHelper()
	said, err := env.tryToAsk(ctx, node, a)
	Expect(err).NotTo(HaveOccurred(), "%v", a)
	return said
}

func (env *environment) tryToAsk(ctx context.Context, node int, a asked) (said answered, err error) {
	at := env.node(node)
	status, err := at.Status(ctx)
	if err != nil {
		return said, err
	}
	client := &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return at.Dial(ctx) }}
	request, err := http.NewRequestWithContext(ctx, a.method, "http://"+status.Address+a.path, strings.NewReader(a.body))
	if err != nil {
		return said, err
	}
	request.Host = a.host
	if a.body != "" {
		request.Header.Set("Content-Type", jsonType)
	}
	for name, value := range a.headers {
		request.Header.Set(name, value)
	}
	response, err := client.RoundTrip(request)
	if err != nil {
		return said, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return answered{response.StatusCode, response.Header.Get(errorHeader), string(body)}, err
}

// bearer is the header with a token.
func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

// authorized is the request with the cluster's token.
func (env *environment) authorized(a asked) asked {
	if token := env.cluster.Token(); token != "" {
		return a.with(bearer(token))
	}
	return a
}

// posting is a request for SQL.
func posting(sql string) asked {
	body, err := json.Marshal(map[string]string{"sql": sql})
	if err != nil {
		panic(err) // it is text
	}
	return asked{method: http.MethodPost, path: sqlPath, body: string(body)}
}

// needsToken skips the spec on targets without a token.
func (env *environment) needsToken() {
	GinkgoHelper()
	env.requires(target.Dial)
	env.assumes(target.HTTPAPI)
	if env.cluster.Token() == "" {
		Skip("the nodes of the target require no token")
	}
}
