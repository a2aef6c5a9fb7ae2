package embedded

import (
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// unhurried dials connections on which a call has as long as its bytes need.
//
// Raft's transport (1.8.0) gives every call of entries the same time, from before its
// first byte to its answer. Here that time begins anew whenever writtenAtOnce bytes have
// gone out, and grows by what those who are on the way, and have yet to be stored, take at
// slowestLink. A call that gets nowhere ends as soon as it did before.
type unhurried struct{ *stream }

const (
	writtenAtOnce = 64 << 10  // bytes
	slowestLink   = 256 << 10 // bytes a second, which the library gives to snapshots
)

var _ raft.StreamLayer = unhurried{}

// Dial blocks for timeout at most.
func (u unhurried) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, err := u.stream.Dial(address, timeout)
	if err != nil {
		return nil, err
	}
	return &unhurriedConn{Conn: conn}, nil
}

// unhurriedConn is such a connection. It serves one call at a time.
type unhurriedConn struct {
	net.Conn
	deadline time.Time // of the call, as Raft's transport has it
	patience time.Duration
	written  int // bytes, in this call
}

// SetDeadline begins a call.
func (c *unhurriedConn) SetDeadline(deadline time.Time) error {
	c.deadline, c.patience, c.written = deadline, time.Until(deadline), 0
	return c.Conn.SetDeadline(deadline)
}

// Write writes p in pieces, each of which has as long as the call has.
func (c *unhurriedConn) Write(p []byte) (n int, err error) {
	for {
		piece := p[n:min(n+writtenAtOnce, len(p))]
		wrote, err := c.Conn.Write(piece)
		n += wrote
		if err != nil {
			return n, err
		}
		if err := c.progressed(wrote); err != nil || n == len(p) {
			return n, err
		}
	}
}

// progressed moves the deadline of a large call. A snapshot's may be far off as it is.
func (c *unhurriedConn) progressed(wrote int) error {
	c.written += wrote
	if c.deadline.IsZero() || c.written < writtenAtOnce {
		return nil
	}
	needed := min(c.patience, rpcTimeout) + time.Duration(c.written)*time.Second/slowestLink
	later := time.Now().Add(needed)
	if !later.After(c.deadline) {
		return nil
	}
	c.deadline = later
	return c.Conn.SetDeadline(later)
}
