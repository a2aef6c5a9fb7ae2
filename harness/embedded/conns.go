package embedded

import (
	"context"
	"net"
	"sync"

	"github.com/rejoin-db/rejoin/harness/network"
)

// conns are all connections of a node, those it accepted and those it dialed.
// A wait on a silent connection lasts until the connection is closed, and neither
// Raft nor net/http end before their waits do; so the node closes them all.
type conns struct {
	mu     sync.Mutex
	open   map[*tracked]struct{}
	closed bool
}

func newConns() *conns { return &conns{open: make(map[*tracked]struct{})} }

// track takes the connection in, or closes it if the node is closing.
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

// cut closes every connection and allows no new one.
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

// dialer dials from an endpoint, and gives up when ctx ends: net/http goes on
// with a dial although the request that wanted it is over.
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

// CloseWrite lets net/http end an answer to a request it has not read, such as
// one that is too large, without the reset that would destroy the answer.
func (t *tracked) CloseWrite() error {
	if half, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
