package hosts

import (
	"errors"
	"io"
	"net"
	"sync"
)

// sockets are those that this process has open on a host. They end with the host.
type sockets struct {
	mu     sync.Mutex
	closed bool
	open   map[io.Closer]bool
}

// add adds a socket, or closes it if the host has ended.
func (s *sockets) add(c io.Closer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.Join(errClosed, c.Close())
	}
	if s.open == nil {
		s.open = map[io.Closer]bool{}
	}
	s.open[c] = true
	return nil
}

// remove forgets a socket, and tells whether the host had not ended it.
func (s *sockets) remove(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.open[c]
	delete(s.open, c)
	return held
}

// end closes all sockets. After the last end no further one is added.
func (s *sockets) end(last bool) {
	s.mu.Lock()
	s.closed = s.closed || last
	open := s.open
	s.open = nil
	s.mu.Unlock()
	for c := range open {
		_ = c.Close() // its user gets net.ErrClosed
	}
}

// conn is a connection on a host.
type conn struct {
	*net.TCPConn
	sockets *sockets
}

// Close closes the connection.
func (c *conn) Close() error {
	c.sockets.remove(c.TCPConn)
	return c.TCPConn.Close()
}

// hold returns the connection as one that ends with the host.
func (s *sockets) hold(c *net.TCPConn) (net.Conn, error) {
	if err := s.add(c); err != nil {
		return nil, err
	}
	return &conn{c, s}, nil
}

// listener is a listener on a host.
type listener struct {
	*net.TCPListener
	sockets *sockets
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return l.sockets.hold(c)
}

// Close closes the listener. Accepted connections stay.
func (l *listener) Close() error {
	l.sockets.remove(l.TCPListener)
	return l.TCPListener.Close()
}
