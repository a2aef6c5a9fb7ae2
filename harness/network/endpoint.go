package network

import (
	"context"
	"net"
)

// Endpoint is the network access of one node or one client. Its methods are safe for concurrent
// use.
type Endpoint interface {
	// Addr returns the host:port that others dial. It never changes, whether or not there is a
	// listener.
	Addr() string

	// Listen starts to accept connections to Addr. Only one listener may be open at a time.
	// Without a listener, dials are refused.
	Listen() (net.Listener, error)

	// DialContext connects to addr over TCP, like net.Dialer.DialContext.
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

var (
	_ Endpoint = (*Host)(nil)
	_ Endpoint = (*Standalone)(nil)
)
