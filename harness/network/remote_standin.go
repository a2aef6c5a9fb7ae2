package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// SetRule knows only the mode.
func (n *Network) SetRule(from, to string, r Rule) error {
	if err := r.Validate(); err != nil {
		return err
	}
	return errors.Join(n.Cut(r.Mode, from, to), n.SetDelay(from, to, r.Latency, r.Jitter))
}

// ResetLink resets the connections that exist.
func (n *Network) ResetLink(from, to string) error {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return err
	}
	n.resetAll(nil, func(r route) bool { return r.out == l || r.back == l })
	return nil
}

// Remote is a host whose node lives in another process.
func (n *Network) Remote(name, addr string) (*Host, error) {
	a, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("make host %s: the network: %w", name, net.ErrClosed)
	}
	if h := n.hosts[name]; h != nil {
		return nil, fmt.Errorf("make host %s: there is one already", name)
	}
	h := &Host{network: n, name: name, port: newPort(a)}
	h.port.open = newListener(h.port)
	n.hosts[name], n.addrs[addr] = h, h
	return h, nil
}

// Join is the host of this process.
func (n *Network) Join(name, addr string) (*Host, error) {
	config := net.ListenConfig{Control: reuse}
	l, err := config.Listen(context.Background(), "tcp4", addr)
	if err != nil {
		return nil, fmt.Errorf("make host %s: %w", name, err)
	}
	return n.addHost(name, l.(*net.TCPListener))
}

// Reservation holds a port.
type Reservation struct {
	fd   int
	addr string
}

// Reserve reserves any free port of this machine.
func Reserve() (*Reservation, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(options(fd), unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &Reservation{fd, fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)}, nil
}

// Addr is the host:port.
func (r *Reservation) Addr() string { return r.addr }

// Close gives the port up.
func (r *Reservation) Close() error { return unix.Close(r.fd) }

func reuse(_, _ string, raw syscall.RawConn) (err error) {
	return errors.Join(raw.Control(func(fd uintptr) { err = options(int(fd)) }), err)
}

func options(fd int) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
	)
}
