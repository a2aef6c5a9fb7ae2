package embedded

import (
	"context"
	"net/http"
)

// Handler returns the node's HTTP API for a server of the caller. Its requests do not pass through
// the node's Endpoint, so faults of that network do not affect them. They end when the node ends.
func (n *Node) Handler() http.Handler {
	routes := n.api()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(n.ctx, cancel)()
		routes.ServeHTTP(w, r.WithContext(ctx))
	})
}
