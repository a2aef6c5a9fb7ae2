package network

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// longAgo is a deadline that wakes calls at the socket.
var longAgo = time.Unix(1, 0)

// tcpConn is the dialing end of a real connection. Its writes use one link and its reads the
// opposite link; the accepting end is a plain socket.
//
// While the links are unimpaired, reads and writes go directly to the socket. A connection in
// memory, which implements delays, is attached to it. Each direction is routed through that
// connection from its first use while its link is impaired, and a goroutine copies between the
// connection's far end and the socket. It stays so, because data must not overtake earlier data.
//
// The socket may outlive this end: written data is still delivered, and if the outgoing link
// drops everything at the time of a Close, the other side must not notice the close.
type tcpConn struct {
	*pair
	raw           *net.TCPConn
	reads, writes side
	release       sync.Once

	mu      sync.Mutex
	closed  bool // this end is closed
	carried bool // all written data was copied to the socket
}

// side is one direction.
type side struct {
	carrying atomic.Bool
	start    sync.Once
	// inside is read-locked by calls at the socket. Only the relay write-locks it, to wait for
	// them before it takes over the socket.
	inside sync.RWMutex
	owned  bool // the relay uses the socket, without this end's deadlines; guarded by tcpConn.mu
}

func newTCPConn(p *pair, raw *net.TCPConn) *tcpConn {
	p.forget = func() {} // the socket may outlive the pair
	p.near.local, p.near.remote = raw.LocalAddr(), raw.RemoteAddr()
	return &tcpConn{pair: p, raw: raw}
}

func (c *tcpConn) reading() *gate { return &c.near.in.reader }
func (c *tcpConn) writing() *gate { return &c.near.out.writer }

func (c *tcpConn) Read(p []byte) (int, error) {
	for !c.reads.carrying.Load() {
		if c.back.paced() {
			c.carryIn()
		} else if c.back.cut.Load() != nil {
			if err := c.waitForLink(c.reading(), c.back); err != nil {
				return 0, c.fail("read", err)
			}
		} else if n, done, err := c.readRaw(p); done {
			return n, err
		}
	}
	return c.near.Read(p)
}

// readRaw reads from the socket. It is done unless the link became impaired meanwhile. Data read
// then is routed like all later data.
func (c *tcpConn) readRaw(p []byte) (n int, done bool, err error) {
	c.reads.inside.RLock()
	defer c.reads.inside.RUnlock()
	if c.reads.carrying.Load() {
		return 0, false, nil
	}
	n, err = c.raw.Read(p[:min(len(p), window)])
	if !c.back.impaired() || c.local(c.reading(), err) {
		c.back.passed.add(min(n, 1), n)
		return n, true, c.explain("read", c.reading(), err)
	}
	c.arrive(p[:n], err)
	c.carryIn()
	return 0, false, nil
}

// Write returns 0 if a cut held the data until Write ended.
func (c *tcpConn) Write(p []byte) (int, error) {
	for !c.writes.carrying.Load() {
		if c.out.paced() || c.back.paced() {
			c.carryOut()
		} else if c.out.cut.Load() != nil {
			if err := c.waitForLink(c.writing(), c.out); err != nil {
				return 0, c.fail("write", err)
			}
		} else if n, done, err := c.writeRaw(p); done {
			return n, err
		}
	}
	return c.near.Write(p)
}

func (c *tcpConn) writeRaw(p []byte) (n int, done bool, err error) {
	c.writes.inside.RLock()
	if c.writes.carrying.Load() {
		c.writes.inside.RUnlock()
		return 0, false, nil
	}
	n, err = c.raw.Write(p)
	c.writes.inside.RUnlock()
	c.out.passed.add(min(n, 1), n)
	if err != nil && !c.local(c.writing(), err) {
		if err := c.waitForLink(c.writing(), c.back); err != nil { // the error comes over the link back
			return n, true, c.fail("write", err)
		}
	}
	return n, true, c.explain("write", c.writing(), err)
}

// waitForLink waits until the link is up or the gate ends.
func (c *tcpConn) waitForLink(g *gate, l *link) error {
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

// local returns whether an error of the socket was caused by this end.
func (c *tcpConn) local(g *gate, err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || err != nil && g.ending() != nil
}

// explain converts an error of the socket to an error of this connection.
func (c *tcpConn) explain(op string, g *gate, err error) error {
	if err == nil {
		return nil
	}
	if ended := g.ending(); ended != nil {
		return c.fail(op, ended)
	}
	if errors.Is(err, net.ErrClosed) { // reset by the other host
		return c.fail(op, errReset)
	}
	return err
}

func (c *tcpConn) fail(op string, err error) error { return c.near.fail(op, err) }

func (c *tcpConn) LocalAddr() net.Addr  { return c.raw.LocalAddr() }
func (c *tcpConn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

func (c *tcpConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *tcpConn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(&c.reads, c.reading(), c.raw.SetReadDeadline, t)
}

func (c *tcpConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(&c.writes, c.writing(), c.raw.SetWriteDeadline, t)
}

func (c *tcpConn) setDeadline(s *side, g *gate, set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended := g.setDeadline(t)
	if ended != nil {
		t = longAgo // as set by leave
	}
	if !s.owned {
		_ = set(t) // fails only if reads and writes fail too
	}
	if ended != nil {
		return c.fail("set", ended)
	}
	return nil
}
