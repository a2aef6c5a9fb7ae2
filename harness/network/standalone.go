package network

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Standalone is the endpoint of a node outside any [Network]: plain TCP to any address, without
// faults. Its methods are safe for concurrent use.
type Standalone struct {
	port   *port
	addr   string
	socket *net.TCPListener
	work   sync.WaitGroup
	close  sync.Once
}

// Open binds the address, for example "127.0.0.1:0" for any free port, and holds it until Close.
func Open(addr string) (*Standalone, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", addr, err)
	}
	s := &Standalone{port: newPort(l.Addr()), addr: l.Addr().String(), socket: l.(*net.TCPListener)}
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
		// Others know the given host name, not the address it was resolved to.
		_, number, _ := net.SplitHostPort(s.addr)
		s.addr = net.JoinHostPort(host, number)
	}
	s.work.Go(func() { s.port.serve(s.socket) })
	return s, nil
}

// Addr returns the address passed to Open, with the actual port if it was 0.
func (s *Standalone) Addr() string { return s.addr }

// Listen starts to accept connections. It fails while an earlier listener is open.
func (s *Standalone) Listen() (net.Listener, error) { return s.port.listen() }

// DialContext dials with a plain net.Dialer.
func (s *Standalone) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// Close closes the listener, releases the port and waits for the endpoint's goroutine. Open
// connections must be closed by their users. A second Close also waits, and is not an error.
func (s *Standalone) Close() (err error) {
	s.port.close()
	s.close.Do(func() { err = s.socket.Close() })
	s.work.Wait()
	return err
}
