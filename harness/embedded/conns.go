package embedded

import (
	"context"
	"net"
	"sync"

	"github.com/rejoin-db/rejoin/harness/network"
)

// conns tracks all connections of a node, accepted and dialed. A read on an idle connection blocks
// until the connection is closed, and Raft and net/http wait for such reads when they shut down. So
// the node closes all connections itself.
type conns struct {
	mu     sync.Mutex
	open   map[*tracked]struct{}
	closed bool
}

func newConns() *conns { return &conns{open: make(map[*tracked]struct{})} }

// track registers the connection. If the node is closing, it closes the connection instead.
func (c *conns) track(conn net.Conn) (*tracked, error) {
	t := &tracked{Conn: conn, conns: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	c.open[t] = struct{}{}
	return t, nil
}

func (c *conns) forget(t *tracked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, t)
}

// cut closes every connection and prevents new ones.
func (c *conns) cut() {
	c.mu.Lock()
	c.closed = true
	open := c.open
	c.open = nil
	c.mu.Unlock()
	for t := range open {
		_ = t.Conn.Close()
	}
}

// dialer returns a function that dials from an endpoint until ctx ends. The extra context is needed
// because net/http continues a dial after its request has ended.
func (c *conns) dialer(ctx context.Context, endpoint network.Endpoint) func(context.Context, string, string) (net.Conn, error) {
	return func(wanted context.Context, network, address string) (net.Conn, error) {
		wanted, cancel := context.WithCancel(wanted)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		conn, err := endpoint.DialContext(wanted, network, address)
		if err != nil {
			return nil, err
		}
		return c.track(conn)
	}
}

// tracked is one of a node's connections.
type tracked struct {
	net.Conn
	conns *conns
}

func (t *tracked) Close() error {
	t.conns.forget(t)
	return t.Conn.Close()
}

// CloseWrite lets net/http answer a request that it has not read completely, such as one that is
// too large, without a reset that would discard the answer.
func (t *tracked) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
