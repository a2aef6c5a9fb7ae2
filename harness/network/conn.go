package network

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// longAgo is a deadline that wakes whoever is in a system call.
var longAgo = time.Unix(1, 0)

// tcpConn is the dialing end of a real connection. What it writes goes out on one link, what it
// reads comes back on the other; the accepting end is a plain socket.
//
// While the links are sound, reads and writes go to the socket and to nothing else. A connection in
// memory, which knows about time, stands beside it: each direction goes through that from the first
// time it is used while its link is not sound, and a goroutine of its own carries between the
// connection's far end and the socket. It stays so, because what is sent may not overtake.
//
// The socket may outlive the end: what was written is still carried, and if the link out drops
// everything at the time of a Close, the other side must not hear of it.
type tcpConn struct {
	*pair
	raw           *net.TCPConn
	reads, writes side
	release       sync.Once

	mu      sync.Mutex
	closed  bool // at this end
	carried bool // nothing more will be carried out
}

// side is one direction.
type side struct {
	carrying atomic.Bool
	start    sync.Once
	// inside has for readers those who are at the socket themselves. The carrier waits for them
	// before it takes the socket over; nobody else does.
	inside sync.RWMutex
	owned  bool // the carrier has the socket, and deadlines are not for it; guarded by tcpConn.mu
}

func newTCPConn(p *pair, raw *net.TCPConn) *tcpConn {
	p.forget = func() {} // the socket may have more to say
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
			if err := c.pass(c.reading(), c.back); err != nil {
				return 0, c.fail("read", err)
			}
		} else if n, done, err := c.readRaw(p); done {
			return n, err
		}
	}
	return c.near.Read(p)
}

// readRaw is done unless the link was troubled meanwhile. What came then takes the way of all that
// comes after it.
func (c *tcpConn) readRaw(p []byte) (n int, done bool, err error) {
	c.reads.inside.RLock()
	defer c.reads.inside.RUnlock()
	if c.reads.carrying.Load() {
		return 0, false, nil
	}
	n, err = c.raw.Read(p[:min(len(p), window)])
	if !c.back.troubled() || c.ours(c.reading(), err) {
		c.back.passed.add(min(n, 1), n)
		return n, true, c.explain("read", c.reading(), err)
	}
	c.arrive(p[:n], err)
	c.carryIn()
	return 0, false, nil
}

// Write returns 0 if it was held by a cut until its end.
func (c *tcpConn) Write(p []byte) (int, error) {
	for !c.writes.carrying.Load() {
		if c.out.paced() || c.back.paced() {
			c.carryOut()
		} else if c.out.cut.Load() != nil {
			if err := c.pass(c.writing(), c.out); err != nil {
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
	if err != nil && !c.ours(c.writing(), err) {
		if err := c.pass(c.writing(), c.back); err != nil { // bad news come back too
			return n, true, c.fail("write", err)
		}
	}
	return n, true, c.explain("write", c.writing(), err)
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
	return errors.Is(err, os.ErrDeadlineExceeded) || err != nil && g.ending() != nil
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
		t = longAgo // as end did
	}
	if !s.owned {
		_ = set(t) // fails only where reading and writing will, and they say it when it may be known
	}
	if ended != nil {
		return c.fail("set", ended)
	}
	return nil
}
