package embedded

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/rejoin-db/rejoin/harness/embedded/wire"
)

// Headers of answers and between nodes.
const (
	HeaderRequest   = "Idempotency-Key"        // the client's key for a change: requests with the same key are applied once
	HeaderIndex     = "Rejoin-Index"           // the log index at which a change was applied
	headerCode      = "Rejoin-Error"           // the code of an error answer
	headerOutcome   = "Rejoin-Outcome"         // the outcome of a change that was answered with an error
	headerForwarder = "Rejoin-Forwarded-By"    // ID of the forwarding node; the request is not forwarded again
	headerProof     = "Rejoin-Forwarder-Proof" // proves that the sender is a node
	headerTicket    = "Rejoin-Ticket"          // the node's key for a change without a client's key
)

func (n *Node) serveHTTP() {
	n.server = &http.Server{
		Handler:           n.api(),
		BaseContext:       func(net.Listener) context.Context { return n.ctx },
		ReadHeaderTimeout: n.config.RequestTimeout,
		ReadTimeout:       n.config.RequestTimeout,
		IdleTimeout:       idleTimeout,
		ConnState:         n.busy.note,
		ErrorLog:          n.config.Logger.Named("http").StandardLogger(&hclog.StandardLoggerOptions{}),
	}
	listener := &plainListener{n.mux.http, n.config.Logger, n.config.RequestTimeout, &n.wg}
	n.wg.Go(func() { _ = n.server.Serve(listener) }) // returns when the server is closed
}

// api returns the complete HTTP API.
func (n *Node) api() http.Handler { return decorated(n.gate(n.routes()), n.seams.Handler) }

type route struct {
	method string
	serve  http.HandlerFunc
}

func (n *Node) routes() http.Handler {
	routes := map[string]route{
		"/v1/api/sql":   {http.MethodPost, n.serveSQL},
		healthcheckPath: {http.MethodGet, n.serveHealthcheck},
		healthPath:      {http.MethodGet, n.serveHealth},
		readIndexPath:   {http.MethodGet, n.serveReadIndex},
		membersPath:     {http.MethodPost, n.serveMembers},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		route, found := routes[r.URL.Path]
		switch {
		case r.Method == "PRI": // the start of HTTP/2 (RFC 9113, section 3.4)
			n.fail(w, refuse(http.StatusHTTPVersionNotSupported, CodeVersion, "this node speaks HTTP/1.1, not HTTP/2"))
		case !found:
			n.fail(w, refuse(http.StatusNotFound, CodeNotFound, "no such path: %s", r.URL.Path))
		case r.Method != route.method && !(r.Method == http.MethodHead && route.method == http.MethodGet):
			w.Header().Set("Allow", route.method)
			n.fail(w, refuse(http.StatusMethodNotAllowed, CodeMethod, "%s requires method %s, not %s", r.URL.Path, route.method, r.Method))
		case unreadable(r) != nil:
			n.fail(w, unreadable(r))
		default:
			route.serve(w, r)
		}
	})
}

// gate checks the origin and the token of requests. It refuses all requests while the node is
// stopping, and all but health requests once it has failed.
func (n *Node) gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !n.leaderState.enter(&n.requests) {
			n.fail(w, unavailable(CodeStopping, "node %s is leaving; nothing was changed", n.config.ID))
			return
		}
		defer n.requests.Done()
		if err := n.stranger(r); err != nil {
			n.fail(w, err)
			return
		}
		if !n.allowed(r) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			n.fail(w, refuse(http.StatusUnauthorized, CodeUnauthorized, "the request has no valid bearer token"))
			return
		}
		if err := n.storage.machine.Failed(); err != nil && !aboutHealth(r) {
			n.fail(w, unavailable(CodeFailed, "node %s: %v; nothing was changed", n.config.ID, err))
			return
		}
		if err := n.belongs(r); err != nil {
			n.fail(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

const (
	healthcheckPath = "/v1/api/healthcheck"
	healthPath      = "/v1/api/cluster/health"
)

func aboutHealth(r *http.Request) bool {
	return r.URL.Path == healthcheckPath || r.URL.Path == healthPath
}

func (n *Node) allowed(r *http.Request) bool {
	if n.config.Token == "" || r.URL.Path == healthcheckPath {
		return true
	}
	return subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+n.config.Token)) == 1
}

// fail sends an error as the complete answer.
func (n *Node) fail(w http.ResponseWriter, err error) {
	a := explain(err)
	n.allow(w)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(headerCode, a.body.Code)
	if a.body.Outcome != "" {
		w.Header().Set(headerOutcome, a.body.Outcome)
	}
	w.WriteHeader(a.status)
	if err := wire.NewWriter(w, nil).Fail(a.body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// allow sets the write deadline to RequestTimeout from now. Without it, a client that does not read
// its answers would block a handler indefinitely.
func (n *Node) allow(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(n.config.RequestTimeout))
}

func (n *Node) reply(w http.ResponseWriter, status int, body any) {
	n.allow(w)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// serveHealthcheck reports whether the node has failed.
func (n *Node) serveHealthcheck(w http.ResponseWriter, _ *http.Request) {
	if err := n.storage.machine.Failed(); err != nil {
		n.reply(w, http.StatusServiceUnavailable, map[string]string{"status": "failed", "reason": err.Error(), "version": version()})
		return
	}
	n.reply(w, http.StatusOK, map[string]string{"status": "healthy", "version": version()})
}

func (n *Node) serveHealth(w http.ResponseWriter, _ *http.Request) {
	n.reply(w, http.StatusOK, n.Health())
}

func (n *Node) serveReadIndex(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), n.config.WriteTimeout)
	defer cancel()
	index, err := n.readIndex(ctx, wire.Consistency(r.URL.Query().Get("consistency")))
	switch {
	case errors.Is(err, errNotLeading):
		n.fail(w, unavailable(CodeNotLeader, "node %s is not the leader (%v)", n.config.ID, err))
	case err != nil:
		n.fail(w, unavailable(CodeTimeout, "node %s: %v", n.config.ID, err))
	default:
		n.reply(w, http.StatusOK, readIndexAnswer{Index: index})
	}
}

// send sends a request to another node.
func (n *Node) send(request *http.Request) (*http.Response, error) {
	request.Header.Set(headerForwarder, n.config.ID)
	request.Header.Set(headerProof, n.proof)
	request.Header.Set(headerCluster, n.identity.get().Cluster)
	if request.Method == http.MethodPost {
		request.Header.Set("Content-Type", "application/json")
	}
	if n.config.Token != "" {
		request.Header.Set("Authorization", "Bearer "+n.config.Token)
	}
	return n.client.Do(request)
}

func formatIndex(index uint64) string { return strconv.FormatUint(index, 10) }
