package network

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// acceptPause is the delay before a retry when the operating system cannot accept, for example
// without free file descriptors.
const acceptPause = 10 * time.Millisecond

// port is an address that is held permanently. At most one listener is open on it.
type port struct {
	addr net.Addr
	name string        // the address
	done chan struct{} // closed with the port

	mu     sync.Mutex
	open   *listener
	down   error // why listening fails, or nil
	closed bool
}

func newPort(addr net.Addr) *port {
	return &port{addr: addr, name: addr.String(), done: make(chan struct{})}
}

func (p *port) listen() (net.Listener, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("listen on %s: %w", p.addr, net.ErrClosed)
	}
	if p.down != nil {
		return nil, fmt.Errorf("listen on %s: %w", p.addr, p.down)
	}
	if p.open != nil {
		return nil, fmt.Errorf("listen on %s: an earlier listener is still open", p.addr)
	}
	p.open = newListener(p)
	return p.open, nil
}

// listener returns the open listener, or nil.
func (p *port) listener() *listener {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

func (p *port) forget(l *listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == l {
		p.open = nil
	}
}

// shut closes the listener and makes listening fail with why. A nil why permits listening again.
func (p *port) shut(why error) {
	p.mu.Lock()
	l := p.open
	p.down = why
	p.mu.Unlock()
	if l != nil && why != nil {
		l.Close()
	}
}

// close releases the port. It may be called more than once.
func (p *port) close() {
	p.mu.Lock()
	l, again := p.open, p.closed
	p.closed = true
	p.mu.Unlock()
	if l != nil {
		l.Close()
	}
	if !again {
		close(p.done)
	}
}

// serve passes connections of a real socket to the open listener, and resets them while there is
// none. It ends when the socket is closed.
func (p *port) serve(socket *net.TCPListener) {
	for {
		c, err := socket.AcceptTCP()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			pause := time.NewTimer(acceptPause)
			select {
			case <-pause.C:
			case <-p.done:
				pause.Stop()
			}
		default:
			if l := p.listener(); l == nil || !l.offer(c, p.done) {
				abort(c)
			}
		}
	}
}

// abort closes a connection so that the other side sees a reset.
func abort(c *net.TCPConn) {
	_ = c.SetLinger(0)
	c.Close()
}
