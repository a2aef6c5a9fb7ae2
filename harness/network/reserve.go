package network

import (
	"fmt"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reservation is a port of 127.0.0.1 that is held for a node of another process, while that runs and
// while it does not: a socket that is bound and does not listen. The node's [Network.Join] shares
// the port with it, as only a process of the same user may; nobody else is given it. Connecting is
// refused at once while no node listens. Its methods are safe for concurrent use.
type Reservation struct {
	fd    int
	addr  string
	close sync.Once
}

// Reserve takes any free port.
func Reserve() (*Reservation, error) {
	r, err := reserve()
	if err != nil {
		return nil, fmt.Errorf("reserve a port of 127.0.0.1: %w", err)
	}
	return r, nil
}

func reserve() (_ *Reservation, err error) {
	syscall.ForkLock.RLock() // so that no child is started that inherits the socket
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	localhost := [4]byte{127, 0, 0, 1}
	// Bound first and shared then: a port that another shares must not be found free.
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: localhost}); err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	if err := share(fd); err != nil {
		return nil, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return nil, fmt.Errorf("getsockname: %w", err)
	}
	port := uint16(name.(*unix.SockaddrInet4).Port)
	return &Reservation{fd: fd, addr: netip.AddrPortFrom(netip.AddrFrom4(localhost), port).String()}, nil
}

// Addr is the host:port that is held.
func (r *Reservation) Addr() string { return r.addr }

// Close gives the port up; a node that listens there goes on. Closing twice is no error.
func (r *Reservation) Close() (err error) {
	r.close.Do(func() { err = unix.Close(r.fd) })
	if err != nil {
		return fmt.Errorf("give up the port of %s: %w", r.addr, err)
	}
	return nil
}

// share lets others of the same user that do the same bind the socket's address, too. The weaker
// SO_REUSEADDR would let in everybody: Go's listeners have it.
func share(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("share the address of a socket: %w", err)
	}
	return nil
}
