//go:build unix

package network

import (
	"fmt"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Reservation holds a port of 127.0.0.1 for a node in a different process, whether or not that
// process runs: a socket that is bound and does not listen. The node's [Network.Join] shares the
// port with it, which only processes of the same user may do; the port is given to no other
// process. While no node listens, dials are refused at once. Its methods are safe for concurrent
// use.
type Reservation struct {
	fd    int
	addr  string
	close sync.Once
}

// Reserve reserves a free port.
func Reserve() (*Reservation, error) {
	r, err := reserve()
	if err != nil {
		return nil, fmt.Errorf("reserve a port of 127.0.0.1: %w", err)
	}
	return r, nil
}

func reserve() (_ *Reservation, err error) {
	syscall.ForkLock.RLock() // so that no child process inherits the socket
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
	// Bind before sharing: a shared port of a different reservation must not count as free.
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

// Addr returns the reserved host:port.
func (r *Reservation) Addr() string { return r.addr }

// Close releases the port; a node that listens there is not affected. Closing twice is not an
// error.
func (r *Reservation) Close() (err error) {
	r.close.Do(func() { err = unix.Close(r.fd) })
	if err != nil {
		return fmt.Errorf("release the port of %s: %w", r.addr, err)
	}
	return nil
}

// share lets other sockets of the same user that also set SO_REUSEPORT bind the same address.
// SO_REUSEADDR would admit every Go listener, which has it set.
func share(fd int) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
		return fmt.Errorf("share the address of a socket: %w", err)
	}
	return nil
}
