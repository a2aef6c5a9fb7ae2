package network

import (
	"errors"
	"io"
	"syscall"
	"time"
)

// relayChunk is how much is copied between a connection in memory and a socket at once, in bytes.
const relayChunk = 32 << 10

// carryOut routes all further writes through memory.
func (c *tcpConn) carryOut() {
	c.writes.carrying.Store(true)
	c.writes.start.Do(func() {
		c.from.network.start(func() {
			c.takeOver(&c.writes, c.raw.SetWriteDeadline)
			c.ended(c.drain())
		})
	})
}

// carryIn routes all further reads through memory.
func (c *tcpConn) carryIn() {
	c.reads.carrying.Store(true)
	c.reads.start.Do(func() {
		c.from.network.start(func() {
			c.takeOver(&c.reads, c.raw.SetReadDeadline)
			c.fill()
		})
	})
}

// takeOver waits for calls at the socket to end, and detaches the socket from the deadlines of
// this end.
func (c *tcpConn) takeOver(s *side, set func(time.Time) error) {
	s.inside.Lock()
	defer s.inside.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	s.owned = true
	_ = set(time.Time{})
}

// drain copies from the far end to the socket, and returns why it ended. If the socket rejects
// data, the near end is notified, and the rest is discarded.
func (c *tcpConn) drain() error {
	p := make([]byte, relayChunk)
	lost := false
	for {
		n, err := c.far.Read(p)
		if err != nil {
			return err
		}
		if lost {
			continue
		}
		if _, err := c.raw.Write(p[:n]); err != nil {
			lost = true
			c.far.in.abandon(c.far.out.notice())
			c.far.in.writer.wake()
		}
	}
}

// fill copies from the socket to the far end.
func (c *tcpConn) fill() {
	p := make([]byte, relayChunk)
	for {
		n, err := c.raw.Read(p)
		if !c.arrive(p[:n], err) {
			return
		}
	}
}

// arrive passes data and errors of the socket to the far end. It returns whether there may be
// more.
func (c *tcpConn) arrive(p []byte, err error) bool {
	if len(p) > 0 {
		if _, err := c.far.Write(p); errors.Is(err, syscall.EPIPE) {
			return false // the reader is closed; written data is still to be copied
		} else if err != nil {
			c.abort()
			return false
		}
	}
	switch err {
	case nil:
		return true
	case io.EOF:
		_ = c.far.CloseWrite() // fails only if the reader is closed
	default:
		c.far.abort()
	}
	return false
}
