package network

import (
	"net"
	"sync"
)

// backlog is how many connections may wait to be accepted before connecting waits too.
const backlog = 128

// listener is what a node sees of its port. Opening and closing it costs nothing and leaves the
// port where it is.
type listener struct {
	port  *port
	queue chan net.Conn
	done  chan struct{}
	close sync.Once
}

func newListener(p *port) *listener {
	return &listener{port: p, queue: make(chan net.Conn, backlog), done: make(chan struct{})}
}

func (l *listener) Addr() net.Addr { return l.port.addr }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
	default:
		select {
		case c := <-l.queue:
			return c, nil
		case <-l.done:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.port.addr, Err: net.ErrClosed}
}

// Close resets the connections that nobody has accepted yet. Closing twice is no error.
func (l *listener) Close() error {
	l.close.Do(func() {
		l.port.forget(l)
		close(l.done)
		l.drain()
	})
	return nil
}

// offer hands a connection to Accept. It reports false, and leaves c alone, if the listener is
// closed or cancel ends before there is room.
func (l *listener) offer(c net.Conn, cancel <-chan struct{}) bool {
	select {
	case l.queue <- c:
	case <-l.done:
		return false
	case <-cancel:
		return false
	}
	select {
	case <-l.done: // closed meanwhile, perhaps after it was drained
		l.drain()
	default:
	}
	return true
}

func (l *listener) drain() {
	for {
		select {
		case c := <-l.queue:
			discard(c)
		default:
			return
		}
	}
}

// discard resets a connection that nobody wants to accept.
func discard(c net.Conn) {
	switch c := c.(type) {
	case *net.TCPConn:
		abort(c)
	case *memoryConn:
		c.abort()
	}
}
