package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// stream is Raft's stream layer: it accepts connections from the mux and dials with the node's dialer.
type stream struct {
	*branch
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	// greet does the handshake on a dialed connection. It fails if the other end is not the expected
	// node.
	greet func(conn io.ReadWriter, at raft.ServerAddress) error

	silenced atomic.Bool
	mu       sync.Mutex
	open     map[net.Conn]struct{} // accepted and dialed

	// handlers counts Raft's goroutines that answer other nodes. Raft does not wait for them when it
	// shuts down, and a late one would write to a closed log. Each closes its connection at its end.
	handlers sync.WaitGroup
	ended    bool // no new handlers
}

var _ raft.StreamLayer = (*stream)(nil)

// Accept returns the next connection for a handler of Raft.
func (s *stream) Accept() (net.Conn, error) {
	conn, err := s.branch.Accept()
	if err != nil {
		return nil, err
	}
	if !s.begin() {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	spoken := s.track(conn)
	return &handlerConn{Conn: spoken, end: sync.OnceFunc(s.handlers.Done)}, nil
}

// begin counts a handler, unless wait was called.
func (s *stream) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.handlers.Add(1)
	return true
}

// wait blocks until the last handler has ended.
func (s *stream) wait() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.handlers.Wait()
}

// silence closes all connections permanently. After it returns, Raft neither sends nor receives.
func (s *stream) silence() {
	s.silenced.Store(true)
	for _, conn := range s.connections() {
		_ = conn.Close()
	}
}

func (s *stream) connections() []net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.open))
}

// errSilenced is the error of all Raft connections of a node that has failed.
var errSilenced = fmt.Errorf("this node has failed and is disconnected: %w", net.ErrClosed)

// track registers a connection, and closes it if the node is silenced.
func (s *stream) track(conn net.Conn) net.Conn {
	s.mu.Lock()
	if s.open == nil {
		s.open = make(map[net.Conn]struct{})
	}
	s.open[conn] = struct{}{}
	s.mu.Unlock()
	if s.silenced.Load() { // checked after the registration, so that no connection is missed
		_ = conn.Close()
	}
	return &raftConn{Conn: conn, stream: s}
}

// raftConn is a connection that fails once the node is silenced.
type raftConn struct {
	net.Conn
	stream *stream
}

// Read does not return data that was received before the silence.
func (c *raftConn) Read(p []byte) (int, error) {
	if c.stream.silenced.Load() {
		return 0, errSilenced
	}
	return c.Conn.Read(p)
}

func (c *raftConn) Write(p []byte) (int, error) {
	if c.stream.silenced.Load() {
		return 0, errSilenced
	}
	return c.Conn.Write(p)
}

func (c *raftConn) Close() error {
	c.stream.mu.Lock()
	delete(c.stream.open, c.Conn)
	c.stream.mu.Unlock()
	return c.Conn.Close()
}

// handlerConn calls end when its handler closes it.
type handlerConn struct {
	net.Conn
	end func()
}

func (h *handlerConn) Close() error {
	err := h.Conn.Close()
	h.end()
	return err
}

func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	if s.silenced.Load() {
		return nil, errSilenced
	}
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	dialed, err := s.dial(ctx, "tcp", string(address))
	if err != nil {
		return nil, err
	}
	conn := s.track(dialed)
	// Raft sets a deadline for each call, but not for the handshake.
	deadline, _ := ctx.Deadline()
	if err := errors.Join(conn.SetDeadline(deadline), s.greet(conn, address), conn.SetDeadline(time.Time{})); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
