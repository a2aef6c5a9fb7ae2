package network

import "io"

// Close ends everything at this end at once. What was written goes on its way, unless a cut holds it.
func (c *tcpConn) Close() error {
	c.leave(c.near.Close)
	return nil
}

// CloseWrite tells the other side that nothing more will be written.
func (c *tcpConn) CloseWrite() error {
	if c.out.troubled() {
		c.carryOut()
	}
	if err := c.near.CloseWrite(); err != nil {
		return err
	}
	if !c.writes.carrying.Load() {
		_ = c.raw.CloseWrite()
	}
	return nil
}

func (c *tcpConn) reset(by *Host) {
	switch by {
	case c.from:
		c.leave(func() error {
			c.near.abort()
			return nil
		})
		// Nobody who was writing must be at it any more.
		c.writes.inside.Lock()
		c.writes.inside.Unlock() // to have been alone is enough
	case c.to:
		c.far.abort()
		c.abort()
	default:
		c.pair.reset(nil)
		c.abort()
	}
}

// leave ends this end, lets the news of that take the way of what was written, and wakes whoever is
// at the socket.
func (c *tcpConn) leave(end func() error) {
	if c.out.troubled() {
		c.carryOut()
	}
	_ = end() // it has no error
	c.mu.Lock()
	c.closed = true
	direct := c.carried || !c.writes.carrying.Load()
	if !c.reads.owned {
		_ = c.raw.SetReadDeadline(longAgo)
	}
	if !c.writes.owned {
		_ = c.raw.SetWriteDeadline(longAgo)
	}
	c.mu.Unlock()
	switch {
	case !direct:
	case c.reading().ending() == errReset:
		c.abort()
	default:
		c.closeRaw()
	}
}

// abort closes the socket so that the other side finds the connection reset.
func (c *tcpConn) abort() {
	_ = c.raw.SetLinger(0)
	c.closeRaw()
}

func (c *tcpConn) closeRaw() {
	c.release.Do(func() {
		c.raw.Close()
		c.from.network.forget(c)
	})
}

// ended is what becomes of the socket when the far end has read to the end.
func (c *tcpConn) ended(err error) {
	c.mu.Lock()
	c.carried = true
	closed := c.closed
	c.mu.Unlock()
	switch {
	case err != io.EOF:
		c.abort()
	case closed:
		c.closeRaw()
	default:
		_ = c.raw.CloseWrite()
	}
}
