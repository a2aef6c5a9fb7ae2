package network

import "io"

// Close closes this end at once. Written data is still delivered, unless a cut holds it.
func (c *tcpConn) Close() error {
	c.leave(c.near.Close)
	return nil
}

// CloseWrite closes the writing side: the other side reads EOF after the written data.
func (c *tcpConn) CloseWrite() error {
	if c.out.impaired() {
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
		// No writer may still be at the socket.
		c.writes.inside.Lock()
		c.writes.inside.Unlock() // only waits for current writers
	case c.to:
		c.far.abort()
		c.abort()
	default:
		c.pair.reset(nil)
		c.abort()
	}
}

// leave closes this end. The notice of the close follows the written data, and calls at the
// socket wake up.
func (c *tcpConn) leave(end func() error) {
	if c.out.impaired() {
		c.carryOut()
	}
	_ = end() // never fails
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

// abort closes the socket so that the other side sees a reset.
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

// ended closes the socket as needed when the far end has been read to its end.
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
