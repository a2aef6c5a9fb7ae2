package proc

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness/target"
)

// unsent is a transport whose error tells that a request was not sent, if it had no connection to be sent on: such a
// request was certainly not applied. An error of any other request is passed on, and ends all idle connections: those to a host
// whose power was cut hang, and each would cost another request its time.
type unsent struct{ http.RoundTripper }

func (t unsent) RoundTrip(r *http.Request) (*http.Response, error) {
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	response, err := t.RoundTripper.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil && !connected.Load() {
		return nil, &target.Error{
			Code: "UNSENT", Kind: target.ErrUnreachable, Outcome: target.NotApplied, Temporary: true, Cause: err,
			Message: fmt.Sprintf("no connection to %s: %v", r.URL.Host, err),
		}
	}
	if err != nil {
		t.CloseIdleConnections()
	}
	return response, err
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t unsent) CloseIdleConnections() {
	if closer, closes := t.RoundTripper.(interface{ CloseIdleConnections() }); closes {
		closer.CloseIdleConnections()
	}
}
