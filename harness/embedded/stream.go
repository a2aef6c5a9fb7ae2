package embedded

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/network"
)

// stream is how Raft reaches other nodes: the mux's listener for what comes in,
// the endpoint for what goes out. It knows every connection, since Raft waits
// for its calls to end before it stops, and a call into silence ends only when
// its connection is closed.
type stream struct {
	*branch
	endpoint network.Endpoint
	greeting []byte

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

var _ raft.StreamLayer = (*stream)(nil)

func newStream(endpoint network.Endpoint, listener *branch, token string) *stream {
	return &stream{
		branch: listener, endpoint: endpoint, greeting: greeting(token),
		conns: make(map[net.Conn]struct{}),
	}
}

func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	conn, err := s.endpoint.DialContext(ctx, "tcp", string(address))
	if err != nil {
		return nil, err
	}
	if conn, err = s.track(conn); err != nil {
		return nil, err
	}
	if _, err := conn.Write(s.greeting); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (s *stream) Accept() (net.Conn, error) {
	conn, err := s.branch.Accept()
	if err != nil {
		return nil, err
	}
	return s.track(conn)
}

func (s *stream) track(conn net.Conn) (net.Conn, error) {
	tracked := &trackedConn{Conn: conn, stream: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	s.conns[tracked] = struct{}{}
	return tracked, nil
}

// cut closes every connection and allows no new one.
func (s *stream) cut() {
	s.fail(net.ErrClosed)
	s.mu.Lock()
	s.closed = true
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	for conn := range conns {
		_ = conn.Close()
	}
}

type trackedConn struct {
	net.Conn
	stream *stream
}

func (c *trackedConn) Close() error {
	c.stream.mu.Lock()
	delete(c.stream.conns, c)
	c.stream.mu.Unlock()
	return c.Conn.Close()
}
