package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

const (
	ordersPath  = "/control/orders"
	healthPath  = "/control/health"
	digestPath  = "/control/digest"
	statsPath   = "/control/stats"
	linkPath    = "/control/link"
	lookPath    = "/control/surroundings"
	divergePath = "/control/diverge"
)

// digest is the answer of digestPath.
type digest struct {
	Index uint64 `json:"index"`
	Sum   string `json:"sum"`
}

// divergence is the request of divergePath.
type divergence struct {
	SQL string `json:"sql"`
}

// Surroundings are the faults around a node.
type Surroundings struct {
	Disk  fault.Disk    `json:"disk"`
	Ahead time.Duration `json:"ahead"` // how far its clock is ahead
}

// control is the node's private endpoint.
type control struct {
	server *http.Server
	work   sync.WaitGroup
}

// serveControl serves on a unix socket until it is closed. It replaces a socket that a killed process left.
func serveControl(path string, node *embedded.Node, w *host) (*control, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	c := &control{server: &http.Server{Handler: controlHandler(node, w)}}
	c.work.Go(func() { _ = c.server.Serve(listener) }) // returns when the server is closed
	return c, nil
}

func (c *control) close() error {
	err := c.server.Close()
	c.work.Wait()
	return err
}

// follower follows orders.
type follower interface {
	follow(Orders) error
}

// around is the environment of a node: it follows orders, and reports their effects.
type around interface {
	follower
	stats(from, to string) (fault.LinkStats, error)
	link(from, to string) (target.LinkState, error)
	surroundings() Surroundings
}

func controlHandler(node *embedded.Node, w around) http.Handler {
	routes := http.NewServeMux()
	routes.Handle("/", node.Handler())
	routes.Handle("POST "+ordersPath, ordersHandler(w))
	// Unlike the node's API, this also answers while the node is leaving.
	routes.HandleFunc("GET "+healthPath, func(w http.ResponseWriter, _ *http.Request) { reply(w, node.Health()) })
	routes.HandleFunc("GET "+digestPath, func(w http.ResponseWriter, r *http.Request) {
		index, sum, err := node.Digest(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		reply(w, digest{index, sum})
	})
	routes.HandleFunc("GET "+statsPath, func(out http.ResponseWriter, r *http.Request) {
		stats, err := w.stats(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		reply(out, stats)
	})
	routes.HandleFunc("GET "+linkPath, func(out http.ResponseWriter, r *http.Request) {
		link, err := w.link(r.URL.Query().Get("from"), r.URL.Query().Get("to"))
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
		reply(out, link)
	})
	routes.HandleFunc("GET "+lookPath, func(out http.ResponseWriter, _ *http.Request) { reply(out, w.surroundings()) })
	routes.HandleFunc("POST "+divergePath, func(out http.ResponseWriter, r *http.Request) {
		var asked divergence
		err := decode(http.MaxBytesReader(out, r.Body, maxDocument), &asked)
		if err == nil {
			err = node.Diverge(asked.SQL)
		}
		if err != nil {
			http.Error(out, err.Error(), http.StatusConflict)
			return
		}
		reply(out, struct{}{})
	})
	return routes
}

// ordersHandler rejects invalid orders as a whole.
func ordersHandler(to follower) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var orders Orders
		err := decode(http.MaxBytesReader(w, r.Body, maxDocument), &orders)
		if err == nil {
			err = orders.Validate()
		}
		if err != nil {
			http.Error(w, fmt.Sprintf("read orders: %v", err), http.StatusBadRequest)
			return
		}
		if err := to.follow(orders); err != nil {
			http.Error(w, fmt.Sprintf("follow orders: %v", err), http.StatusConflict)
			return
		}
		reply(w, struct{}{})
	})
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(http.ErrAbortHandler)
	}
}
