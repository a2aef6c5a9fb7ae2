package hosts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
)

// DialContext connects from the host to an address, as host:port, in which the host is an address or the name of a host. The
// network is "tcp" or "tcp4".
func (h *Host) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	to, err := h.resolve(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	c, err := h.dial(ctx, to)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(to), Err: err}
	}
	return c, nil
}

func (h *Host) resolve(network, address string) (netip.AddrPort, error) {
	if network != "tcp" && network != "tcp4" {
		return netip.AddrPort{}, net.UnknownNetworkError(network)
	}
	name, text, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return netip.AddrPort{}, &net.AddrError{Err: "invalid port", Addr: address}
	}
	if name == "localhost" {
		name = "127.0.0.1"
	}
	addr, known := h.network.fabric.Resolve(name)
	if !known {
		if addr, err = netip.ParseAddr(name); err != nil || !addr.Is4() {
			return netip.AddrPort{}, &net.AddrError{Err: "not an IPv4 address, and no host of the network has that name", Addr: name}
		}
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

func (h *Host) dial(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	fd, err := h.socket(ctx)
	if err != nil {
		return nil, err
	}
	err = syscall.Connect(fd, &syscall.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	f := os.NewFile(uintptr(fd), "tcp")
	defer f.Close() // net.FileConn has its own descriptor
	switch {
	case errors.Is(err, syscall.EINPROGRESS):
		err = h.connected(ctx, f)
	case err != nil:
		err = os.NewSyscallError("connect", err)
	}
	if err != nil {
		return nil, err
	}
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	if err := c.(*net.TCPConn).SetNoDelay(true); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return h.sockets.hold(c.(*net.TCPConn))
}

// connected waits for the end of the handshake, or of the host.
func (h *Host) connected(ctx context.Context, f *os.File) error {
	if err := h.sockets.add(f); err != nil {
		return err
	}
	err := connected(ctx, f)
	if !h.sockets.remove(f) {
		return fmt.Errorf("host %s has ended: %w", h.name, net.ErrClosed)
	}
	return err
}

func connected(ctx context.Context, f *os.File) error {
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(longAgo) })
	defer stop()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		number, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		switch {
		case err != nil:
			failed = os.NewSyscallError("getsockopt", err)
		case number != 0:
			failed = os.NewSyscallError("connect", syscall.Errno(number))
		default:
			_, err = syscall.Getpeername(int(fd))
			return err == nil // else it was woken too early
		}
		return true
	})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(failed, err)
}

// Listen listens on a port of the host's address; 0 is any free port.
func (h *Host) Listen(ctx context.Context, port int) (net.Listener, error) {
	l, err := h.listen(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("listen on port %d of host %s: %w", port, h.name, err)
	}
	return l, nil
}

func (h *Host) listen(ctx context.Context, port int) (net.Listener, error) {
	if port < 0 || port > 65535 {
		return nil, errors.New("a port is 0 to 65535")
	}
	fd, err := h.socket(ctx)
	if err != nil {
		return nil, err
	}
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = os.NewSyscallError("bind", syscall.Bind(fd, &syscall.SockaddrInet4{Addr: h.Addr().As4(), Port: port}))
	}
	if err == nil {
		err = os.NewSyscallError("listen", syscall.Listen(fd, syscall.SOMAXCONN))
	}
	f := os.NewFile(uintptr(fd), "tcp")
	defer f.Close() // net.FileListener has its own descriptor
	if err != nil {
		return nil, err
	}
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	if err := h.sockets.add(l); err != nil {
		return nil, err
	}
	return &listener{l.(*net.TCPListener), &h.sockets}, nil
}

// socket opens a socket on the host.
func (h *Host) socket(ctx context.Context) (int, error) {
	a, err := h.current()
	if err != nil {
		return -1, err
	}
	return a.Socket(ctx)
}
