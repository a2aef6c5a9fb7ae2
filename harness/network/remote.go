package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Nodes in separate processes each have a network in which they are one host, created by Join,
// and know the others as Remote hosts. So does the test, for its clients. Only the dialing side
// of a connection is wrapped, so the link between two processes must be set in both networks.

var errNoSockets = errors.New("a network in memory cannot reach other processes")

// Remote creates a host for a node in a different process at addr, an IP address and port. It can
// be dialed and its links have rules, but it cannot listen here. It returns an error for a
// network in memory, and for a name or an address that the network already has.
func (n *Network) Remote(name, addr string) (*Host, error) {
	h, err := n.remote(name, addr)
	if err != nil {
		return nil, fmt.Errorf("create remote host %s at %s: %w", name, addr, err)
	}
	return h, nil
}

func (n *Network) remote(name, addr string) (*Host, error) {
	if n.memory {
		return nil, errNoSockets
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	h := newHost(n, name, newPort(net.TCPAddrFromAddrPort(at)), nil)
	h.remote = true
	h.port.shut(fmt.Errorf("host %s is a different process", name))
	return h, n.insert(h)
}

// Join creates a host for this process. It binds addr, which a [Reservation] may hold, and keeps
// it as long as the network exists. It returns an error for a network in memory, for a name or an
// address that the network already has, and if addr cannot be bound.
func (n *Network) Join(name, addr string) (*Host, error) {
	h, err := n.join(name, addr)
	if err != nil {
		return nil, fmt.Errorf("create host %s at %s: %w", name, addr, err)
	}
	return h, nil
}

func (n *Network) join(name, addr string) (*Host, error) {
	if n.memory {
		return nil, errNoSockets
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) { failed = share(int(fd)) })
		return errors.Join(err, failed)
	}}
	l, err := config.Listen(context.Background(), "tcp4", addr)
	if err != nil {
		return nil, err
	}
	socket := l.(*net.TCPListener)
	h := newHost(n, name, newPort(socket.Addr()), socket)
	if err := n.insert(h); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return h, nil
}

// insert adds a new host.
func (n *Network) insert(h *Host) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("the network: %w", net.ErrClosed)
	}
	if n.hosts[h.name] != nil {
		return errors.New("the network already has a host of that name")
	}
	if other := n.addrs[h.Addr()]; other != nil {
		return fmt.Errorf("host %s already has that address", other.name)
	}
	n.insertLocked(h)
	return nil
}
