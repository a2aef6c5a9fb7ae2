package network

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// longAgo is a deadline that wakes whoever is in a system call.
var longAgo = time.Unix(1, 0)

// tcpConn is the dialing end of a real connection. What it writes goes out on one link, what it
// reads comes back on the other; the accepting end is a plain socket.
//
// The socket may outlive the end: if the link out drops everything at the time of a Close, the other
// side must not hear of it, so the socket is closed when the link is mended.
type tcpConn struct {
	route
	raw              *net.TCPConn
	reading, writing gate
	kept             kept
	release          sync.Once
}

func (c *tcpConn) Read(p []byte) (int, error) {
	for {
		if err := c.pass(&c.reading, c.back); err != nil {
			return 0, c.fail("read", err)
		}
		if c.kept.any.Load() {
			if _, err := c.reading.look(); err != nil {
				return 0, c.fail("read", err)
			}
			if n, ok, err := c.kept.take(p); ok {
				return n, c.explain("read", &c.reading, err)
			}
		}
		n, err := c.raw.Read(p)
		if c.back.cut.Load() == nil || c.ours(&c.reading, err) {
			return n, c.explain("read", &c.reading, err)
		}
		c.kept.add(p[:n], err)
	}
}

// Write returns 0 if it was held until its end.
func (c *tcpConn) Write(p []byte) (int, error) {
	if err := c.pass(&c.writing, c.out); err != nil {
		return 0, c.fail("write", err)
	}
	n, err := c.raw.Write(p)
	if err != nil && !c.ours(&c.writing, err) {
		if err := c.pass(&c.writing, c.back); err != nil { // bad news come back too
			return n, c.fail("write", err)
		}
	}
	return n, c.explain("write", &c.writing, err)
}

// pass waits until the link is up or the gate's end.
func (c *tcpConn) pass(g *gate, l *link) error {
	for {
		held := l.cut.Load()
		if held == nil {
			return nil
		}
		v, err := g.look()
		if err != nil {
			return err
		}
		v.wait(time.Time{}, held.over)
	}
}

// ours reports whether an error of the socket was made at this end rather than by the other.
func (c *tcpConn) ours(g *gate, err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || g.ending() != nil
}

// explain says what an error of the socket means for this connection.
func (c *tcpConn) explain(op string, g *gate, err error) error {
	if err == nil {
		return nil
	}
	if ended := g.ending(); ended != nil {
		return c.fail(op, ended)
	}
	if errors.Is(err, net.ErrClosed) { // by a reset of the host at the other end
		return c.fail(op, errReset)
	}
	return err
}

func (c *tcpConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// Close ends everything at this end at once.
func (c *tcpConn) Close() error {
	c.end(net.ErrClosed)
	c.out.once(c.closeRaw)
	return nil
}

// CloseWrite tells the other side that nothing more will be written.
func (c *tcpConn) CloseWrite() error {
	if err := c.writing.ending(); err != nil {
		return c.fail("close", err)
	}
	c.out.once(func() { _ = c.raw.CloseWrite() })
	return nil
}

func (c *tcpConn) end(err error) {
	c.reading.end(err)
	c.writing.end(err)
	_ = c.raw.SetDeadline(longAgo)
}

func (c *tcpConn) closeRaw() {
	c.release.Do(func() {
		c.raw.Close()
		c.from.network.forget(c)
	})
}

func (c *tcpConn) reset(by *Host) {
	_ = c.raw.SetLinger(0)
	switch by {
	case c.from:
		c.end(errReset)
		c.out.once(c.closeRaw)
	case c.to:
		c.closeRaw()
	default:
		c.end(errReset)
		c.closeRaw()
	}
}

func (c *tcpConn) LocalAddr() net.Addr  { return c.raw.LocalAddr() }
func (c *tcpConn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

func (c *tcpConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *tcpConn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(&c.reading, c.raw.SetReadDeadline, t)
}

func (c *tcpConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(&c.writing, c.raw.SetWriteDeadline, t)
}

func (c *tcpConn) setDeadline(g *gate, set func(time.Time) error, t time.Time) error {
	_ = set(t) // fails only where reading and writing will, and they say it when it may be known
	if ended := g.setDeadline(t); ended != nil {
		_ = set(longAgo) // as end did, perhaps before it was overwritten here
		return c.fail("set", ended)
	}
	return nil
}
