package network

import (
	"context"
	"net"
)

// Endpoint is one node's or one client's only way to the others.
// Its methods are safe for concurrent use.
type Endpoint interface {
	// Addr is the host:port others dial. It never changes, whether or not anybody listens.
	Addr() string

	// Listen starts to accept connections to Addr. Only one listener may be open at a time; while
	// there is none, whoever connects is refused.
	Listen() (net.Listener, error)

	// DialContext connects to addr over TCP, as that of net.Dialer does.
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

var (
	_ Endpoint = (*Host)(nil)
	_ Endpoint = (*Standalone)(nil)
)
