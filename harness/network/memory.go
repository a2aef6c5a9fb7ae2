package network

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// pair is a connection in memory: two streams, and two ends that each read one and write the
// other.
type pair struct {
	*route
	near, far *memoryConn // dialing end, accepting end
	open      atomic.Int32
	forget    func() // called when both ends are closed
}

// firstPort is the first port number of dialing ends.
const firstPort = 1 << 10

func newPair(r *route, seed uint64) *pair {
	number := r.out.dialed.Add(1)
	there := newStream(r.out, r.back, streamID(seed, r.out, r.out, number))
	back := newStream(r.back, r.out, streamID(seed, r.back, r.out, number))

	local, remote := *r.from.port.addr.(*net.TCPAddr), *r.to.port.addr.(*net.TCPAddr)
	local.Port = firstPort + int(number%(1<<16-firstPort))

	p := &pair{route: r}
	p.near = &memoryConn{pair: p, in: back, out: there, local: &local, remote: &remote}
	p.far = &memoryConn{pair: p, in: there, out: back, local: &remote, remote: &local}
	p.open.Store(2)
	p.forget = func() { r.from.network.forget(p) }
	return p
}

func (n *Network) connectMemory(ctx context.Context, p *pair) (net.Conn, error) {
	l := p.to.port.listener()
	if l == nil {
		return nil, errRefused
	}
	if err := n.track(p); err != nil {
		return nil, err
	}
	if !l.offer(p.far, ctx.Done()) {
		p.reset(nil)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, errRefused
	}
	return p.near, nil
}

func (p *pair) reset(by *Host) {
	switch by {
	case p.from:
		p.near.abort()
	case p.to:
		p.far.abort()
	default:
		for _, c := range []*memoryConn{p.near, p.far} {
			c.in.reader.end(errReset)
			c.out.writer.end(errReset)
		}
		p.near.abort()
		p.far.abort()
	}
}

// memoryConn is one end of a pair.
type memoryConn struct {
	pair          *pair
	in, out       *stream
	local, remote net.Addr
	closed        sync.Once
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	if err != nil && err != io.EOF {
		err = c.fail("read", err)
	}
	return n, err
}

func (c *memoryConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	if err == errSevered {
		c.abort()
		err = errReset
	}
	if err != nil {
		err = c.fail("write", err)
	}
	return n, err
}

// Close closes this end at once; the other end first reads the data in flight. Closing twice is
// not an error.
func (c *memoryConn) Close() error {
	c.shut(net.ErrClosed, io.EOF)
	return nil
}

// CloseWrite closes the writing side: the other end reads EOF after the written data.
func (c *memoryConn) CloseWrite() error {
	if err := c.out.writer.ending(); err != nil {
		return c.fail("close", err)
	}
	c.out.finish(io.EOF, false)
	c.out.reader.wake()
	c.out.writer.wake()
	return nil
}

// abort closes this end so that the other end sees a reset.
func (c *memoryConn) abort() {
	c.shut(errReset, errReset)
}

func (c *memoryConn) shut(here, there error) {
	c.closed.Do(func() {
		c.in.reader.end(here)
		c.out.writer.end(here)
		learned := c.out.finish(there, true)
		c.in.abandon(learned)
		c.out.reader.wake()
		c.in.writer.wake()
		if c.pair.open.Add(-1) == 0 {
			c.pair.forget()
		}
	})
}

func (c *memoryConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

func (c *memoryConn) LocalAddr() net.Addr  { return c.local }
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

func (c *memoryConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	if err := c.in.reader.setDeadline(t); err != nil {
		return c.fail("set", err)
	}
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	if err := c.out.writer.setDeadline(t); err != nil {
		return c.fail("set", err)
	}
	return nil
}
