package network

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Standalone is the endpoint of a node that is in no [Network]: plain TCP, to anywhere, no faults.
type Standalone struct {
	port   *port
	addr   string
	socket *net.TCPListener
	work   sync.WaitGroup
	close  sync.Once
}

// Open takes the address, such as "127.0.0.1:0" for any free port of this machine, and keeps it
// until Close.
func Open(addr string) (*Standalone, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", addr, err)
	}
	s := &Standalone{port: newPort(l.Addr()), addr: l.Addr().String(), socket: l.(*net.TCPListener)}
	if host, _, err := net.SplitHostPort(addr); err == nil && host != "" {
		// The name that was asked for is what others know, not the number it was resolved to.
		_, number, _ := net.SplitHostPort(s.addr)
		s.addr = net.JoinHostPort(host, number)
	}
	s.work.Go(func() { s.port.serve(s.socket) })
	return s, nil
}

// Addr is the address asked for, with the port that was found if it was 0.
func (s *Standalone) Addr() string { return s.addr }

// Listen starts to accept connections. It fails while an earlier listener is open.
func (s *Standalone) Listen() (net.Listener, error) { return s.port.listen() }

// DialContext is that of a plain net.Dialer.
func (s *Standalone) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// Close closes the listener, gives the port up and waits for the endpoint's goroutine. Connections
// are closed by whoever has them. Closing again waits too, and is no error.
func (s *Standalone) Close() (err error) {
	s.port.close()
	s.close.Do(func() { err = s.socket.Close() })
	s.work.Wait()
	return err
}
