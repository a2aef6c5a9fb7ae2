package embedded

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// stream is how Raft reaches other nodes: the mux's listener for what comes in,
// the node's dialer for what goes out.
type stream struct {
	*branch
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	greeting []byte
}

var _ raft.StreamLayer = (*stream)(nil)

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
