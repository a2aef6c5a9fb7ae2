package raftfix

import (
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// GrowingDeadlines returns a layer whose dialed connections extend the deadline of a call with the
// bytes that it sends. call is the timeout of a call in Raft's transport.
//
// Bug: Raft's transport has the same timeout for every AppendEntries, from its first byte to its
// answer. A large entry never arrives in time over a slow link, and is sent again indefinitely. Workaround:
// the timeout restarts whenever 64 KiB have been sent, extended by the time that the sent bytes take at
// 256 KiB per second. A call without progress ends as early as before.
func GrowingDeadlines(layer raft.StreamLayer, call time.Duration) raft.StreamLayer {
	return growingDeadlines{layer, call}
}

type growingDeadlines struct {
	raft.StreamLayer
	call time.Duration
}

const (
	writtenAtOnce = 64 << 10  // bytes
	slowestLink   = 256 << 10 // bytes per second, the library's value for snapshots
)

// Dial blocks at most for timeout.
func (g growingDeadlines) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	conn, err := g.StreamLayer.Dial(address, timeout)
	if err != nil {
		return nil, err
	}
	return &growingConn{Conn: conn, call: g.call}, nil
}

// growingConn is such a connection. It serves one call at a time.
type growingConn struct {
	net.Conn
	call     time.Duration
	deadline time.Time // of the call, as it is set on Conn
	patience time.Duration
	written  int // bytes, in this call
}

// SetDeadline begins a call.
func (c *growingConn) SetDeadline(deadline time.Time) error {
	c.deadline, c.patience, c.written = deadline, time.Until(deadline), 0
	return c.Conn.SetDeadline(deadline)
}

// Write writes p in pieces, each with the full timeout of a call.
func (c *growingConn) Write(p []byte) (n int, err error) {
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

// progressed extends the deadline of a large call, unless it is already later, as for a snapshot.
func (c *growingConn) progressed(wrote int) error {
	c.written += wrote
	if c.deadline.IsZero() || c.written < writtenAtOnce {
		return nil
	}
	needed := min(c.patience, c.call) + time.Duration(c.written)*time.Second/slowestLink
	later := time.Now().Add(needed)
	if !later.After(c.deadline) {
		return nil
	}
	c.deadline = later
	return c.Conn.SetDeadline(later)
}
