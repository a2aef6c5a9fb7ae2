package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Nodes that are processes of their own each have a network in which they are one host, by Join, and
// know the others, by Remote; so has the test, for its clients. As only the dialing side of a
// connection is wrapped, a link between two processes is what both of their networks say it is.

var errNoSockets = errors.New("a network in memory has no other processes")

// Remote is a new host whose node lives in another process, at addr, an IP address and a port. It
// can be dialed and its links can be ruled; it cannot be listened on. It fails in memory, and for a
// name or an address that the network has already.
func (n *Network) Remote(name, addr string) (*Host, error) {
	h, err := n.remote(name, addr)
	if err != nil {
		return nil, fmt.Errorf("make remote host %s at %s: %w", name, addr, err)
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
	h.port.shut(fmt.Errorf("host %s lives in another process", name))
	return h, n.insert(h)
}

// Join is a new host that is this process: it takes addr, which a [Reservation] may hold, and keeps
// it as long as the network lives. It fails in memory, for a name or an address that the network
// has already, and if addr cannot be had.
func (n *Network) Join(name, addr string) (*Host, error) {
	h, err := n.join(name, addr)
	if err != nil {
		return nil, fmt.Errorf("make host %s at %s: %w", name, addr, err)
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

// insert takes a host in that must be new.
func (n *Network) insert(h *Host) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("the network: %w", net.ErrClosed)
	}
	if n.hosts[h.name] != nil {
		return errors.New("the network has a host of that name")
	}
	if other := n.addrs[h.Addr()]; other != nil {
		return fmt.Errorf("host %s has that address", other.name)
	}
	n.insertLocked(h)
	return nil
}
