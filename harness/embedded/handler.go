package embedded

import (
	"context"
	"net/http"
)

// Handler serves all of the node's HTTP API past its Endpoint, for the program that runs
// the node: on a server of the caller's, whose connections no fault of the
// network cuts. Requests that come this way end with the node as all others do.
func (n *Node) Handler() http.Handler {
	routes := n.api()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(n.ctx, cancel)()
		routes.ServeHTTP(w, r.WithContext(ctx))
	})
}
