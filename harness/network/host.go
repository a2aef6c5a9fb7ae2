package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// Host is one host of a network, and the [Endpoint] of its node or client. Its methods are safe
// for concurrent use.
type Host struct {
	network *Network
	name    string
	port    *port
	socket  *net.TCPListener // nil in memory, and for hosts of other processes
	remote  bool             // the host is a different process
	release sync.Once
	current *incarnation // guarded by the network's lock
}

// Host returns the host with the given name, and creates it if necessary. In memory its address
// is determined by the number of hosts created before: 10.0.0.1:1, 10.0.0.2:1 and so on.
func (n *Network) Host(name string) (*Host, error) {
	n.mu.Lock()
	h := n.hosts[name]
	n.mu.Unlock()
	if h != nil {
		return h, nil
	}
	var socket *net.TCPListener
	if !n.memory {
		var err error
		if socket, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return nil, fmt.Errorf("make host %s: %w", name, err)
		}
	}
	h, err := n.addHost(name, socket)
	if h == nil || h.socket != socket {
		err = errors.Join(err, closeSocket(socket)) // closed, or created concurrently
	}
	return h, err
}

func (n *Network) addHost(name string, socket *net.TCPListener) (*Host, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("make host %s: the network: %w", name, net.ErrClosed)
	}
	if h := n.hosts[name]; h != nil {
		return h, nil
	}
	var p *port
	if n.memory {
		p = newPort(memoryAddr(len(n.hosts) + 1))
	} else {
		p = newPort(socket.Addr())
	}
	h := newHost(n, name, p, socket)
	n.insertLocked(h)
	return h, nil
}

func newHost(n *Network, name string, p *port, socket *net.TCPListener) *Host {
	return &Host{network: n, name: name, port: p, socket: socket, current: newIncarnation()}
}

func (n *Network) insertLocked(h *Host) {
	if h.socket != nil {
		n.work.Go(func() { h.port.serve(h.socket) })
	}
	n.hosts[h.name] = h
	n.addrs[h.Addr()] = h
}

// memoryAddr returns the address of the i-th host, for i below 2^24.
func memoryAddr(i int) *net.TCPAddr {
	ip := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 1))
}

func closeSocket(socket *net.TCPListener) error {
	if socket == nil {
		return nil
	}
	return socket.Close()
}

// Name returns the host's name in rules and cuts.
func (h *Host) Name() string { return h.name }

// Addr returns the host:port that others dial. It is constant for the lifetime of the network.
func (h *Host) Addr() string { return h.port.name }

// Listen starts to accept connections. It fails while an earlier listener is open, while the host
// has crashed, and for a host in a different process. Closing the listener resets connections
// that were not accepted yet; accepted connections stay.
func (h *Host) Listen() (net.Listener, error) { return h.port.listen() }

// Reset resets all connections of the host, as a crash does. The other sides notice it over links
// that are up, at once or after their delay; over a link that drops everything, when it is
// mended. Reset neither closes the listener nor prevents new connections.
func (h *Host) Reset() {
	h.network.resetAll(h, func(r *route) bool { return r.from == h || r.to == h })
}

func (h *Host) close() (err error) {
	h.port.close()
	h.release.Do(func() { err = closeSocket(h.socket) })
	return err
}
