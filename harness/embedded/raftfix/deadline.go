package raftfix

import (
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// GrowingDeadlines returns a layer that dials connections on which the time of a call grows
// with the bytes that it sends. call is the time that Raft's transport gives a call.
//
// Fault: Raft's transport gives every AppendEntries the same time, from before its first byte
// to its answer. A large entry over a slow link never arrives in it, and is sent again without
// end. Mend: the time begins anew whenever 64 KiB have been sent, and grows by what the bytes
// under way take at 256 KiB a second. A call that makes no progress ends as early as before.
func GrowingDeadlines(layer raft.StreamLayer, call time.Duration) raft.StreamLayer {
	return growingDeadlines{layer, call}
}

type growingDeadlines struct {
	raft.StreamLayer
	call time.Duration
}

const (
	writtenAtOnce = 64 << 10  // bytes
	slowestLink   = 256 << 10 // bytes a second, which the library gives to snapshots
)

// Dial blocks for timeout at most.
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

// Write writes p in pieces, each of which has as long as the call has.
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

// progressed moves the deadline of a large call. That of a snapshot may be later already.
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
