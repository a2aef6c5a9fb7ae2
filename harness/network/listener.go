package network

import (
	"net"
	"sync"
)

// backlog is the maximum number of connections that wait to be accepted. Further dials block.
const backlog = 128

// listener is a node's view of its port. Opening and closing it does not affect the port.
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

// Close resets the connections that were not accepted yet. Closing twice is not an error.
func (l *listener) Close() error {
	l.close.Do(func() {
		l.port.forget(l)
		close(l.done)
		l.drain()
	})
	return nil
}

// offer passes a connection to Accept. It returns false, and leaves c alone, if the listener is
// closed or cancel is closed before there is room.
func (l *listener) offer(c net.Conn, cancel <-chan struct{}) bool {
	select {
	case l.queue <- c:
	case <-l.done:
		return false
	case <-cancel:
		return false
	}
	select {
	case <-l.done: // closed meanwhile, maybe after drain
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

// discard resets a connection that is not accepted.
func discard(c net.Conn) {
	switch c := c.(type) {
	case *net.TCPConn:
		abort(c)
	case *memoryConn:
		c.abort()
	}
}
