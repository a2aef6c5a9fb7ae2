package embedded

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// stream is how Raft reaches other nodes: the mux's listener for what comes in,
// the node's dialer for what goes out.
type stream struct {
	*branch
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	greeting []byte

	// handlers are Raft's goroutines that answer other nodes. Raft does not wait
	// for them when it shuts down, and a late one would write to a log that is
	// closed; each ends by closing its connection.
	handlers sync.WaitGroup
}

var _ raft.StreamLayer = (*stream)(nil)

// Accept hands a connection to a handler of Raft's.
func (s *stream) Accept() (net.Conn, error) {
	conn, err := s.branch.Accept()
	if err != nil {
		return nil, err
	}
	s.handlers.Add(1)
	return &handled{Conn: conn, end: sync.OnceFunc(s.handlers.Done)}, nil
}

// handled is a connection that tells when its handler has ended.
type handled struct {
	net.Conn
	end func()
}

func (h *handled) Close() error {
	err := h.Conn.Close()
	h.end()
	return err
}

func (s *stream) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, timeout)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", string(address))
	if err != nil {
		return nil, err
	}
	// Raft sets a deadline for each call, but only once it has the connection.
	deadline, _ := ctx.Deadline()
	if err := errors.Join(conn.SetDeadline(deadline), s.greet(conn), conn.SetDeadline(time.Time{})); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (s *stream) greet(conn net.Conn) error {
	_, err := conn.Write(s.greeting)
	return err
}
