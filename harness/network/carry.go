package network

import (
	"errors"
	"io"
	"syscall"
	"time"
)

// carriage is how much is carried between a connection in memory and a socket at once.
const carriage = 32 << 10

// carryOut makes what is written go through memory from now on.
func (c *tcpConn) carryOut() {
	c.writes.carrying.Store(true)
	c.writes.start.Do(func() {
		c.from.network.start(func() {
			c.own(&c.writes, c.raw.SetWriteDeadline)
			c.ended(c.empty())
		})
	})
}

// carryIn makes what is read go through memory from now on.
func (c *tcpConn) carryIn() {
	c.reads.carrying.Store(true)
	c.reads.start.Do(func() {
		c.from.network.start(func() {
			c.own(&c.reads, c.raw.SetReadDeadline)
			c.fill()
		})
	})
}

// own waits for those who are at the socket, and takes it from the deadlines of this end.
func (c *tcpConn) own(s *side, set func(time.Time) error) {
	s.inside.Lock()
	defer s.inside.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	s.owned = true
	_ = set(time.Time{})
}

// empty carries from the far end to the socket, and returns why there is no more. If the socket
// takes no more, the near end is told, and the rest is lost.
func (c *tcpConn) empty() error {
	p := make([]byte, carriage)
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
			c.far.in.abandon(c.far.out.news())
			c.far.in.writer.wake()
		}
	}
}

// fill carries from the socket to the far end.
func (c *tcpConn) fill() {
	p := make([]byte, carriage)
	for {
		n, err := c.raw.Read(p)
		if !c.arrive(p[:n], err) {
			return
		}
	}
}

// arrive passes on what came from the socket, and tells whether there may be more.
func (c *tcpConn) arrive(p []byte, err error) bool {
	if len(p) > 0 {
		if _, err := c.far.Write(p); errors.Is(err, syscall.EPIPE) {
			return false // nobody reads any more, and what is written has yet to be carried
		} else if err != nil {
			c.abort()
			return false
		}
	}
	switch err {
	case nil:
		return true
	case io.EOF:
		_ = c.far.CloseWrite() // fails only where nobody reads any more
	default:
		c.far.abort()
	}
	return false
}
