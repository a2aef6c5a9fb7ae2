package network

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
)

// Network is a set of hosts and the links between them. Its methods are safe for concurrent use.
type Network struct {
	memory bool
	seed   uint64
	work   sync.WaitGroup // all goroutines of the network

	mu     sync.Mutex
	closed bool
	hosts  map[string]*Host // by name
	addrs  map[string]*Host // by address
	links  map[[2]string]*link
	base   delay                 // delay of every link between two hosts
	conns  map[connection]uint64 // open connections, with the order in which they were opened
	opened uint64
}

// connection is a connection that the network can reset.
type connection interface {
	path() *route

	// reset resets the connection as if host by had crashed: that end at once, the other end when
	// the link delivers the notice. With a nil host both ends are reset at once.
	reset(by *Host)
}

// TCP returns a network of real sockets on 127.0.0.1.
func TCP() *Network {
	return newNetwork(false, 0)
}

// Memory returns a network inside this process. All jitter and loss is derived from the seed. For
// use in a testing/synctest bubble it must be created there, and closed before the bubble ends.
func Memory(seed uint64) *Network {
	return newNetwork(true, seed)
}

func newNetwork(memory bool, seed uint64) *Network {
	return &Network{
		memory: memory,
		seed:   seed,
		hosts:  map[string]*Host{},
		addrs:  map[string]*Host{},
		links:  map[[2]string]*link{},
		conns:  map[connection]uint64{},
	}
}

// Close resets all connections, releases all ports, and waits for the network's goroutines. A
// second Close also waits, and is not an error.
func (n *Network) Close() error {
	n.mu.Lock()
	hosts := make([]*Host, 0, len(n.hosts))
	for _, h := range n.hosts {
		hosts = append(hosts, h)
	}
	n.closed = true
	for _, h := range hosts {
		h.current.end(net.ErrClosed)
	}
	n.mu.Unlock()

	var failed []error
	for _, h := range hosts {
		failed = append(failed, h.close())
	}
	n.resetAll(nil, func(*route) bool { return true })
	n.MendAll() // releases calls that wait on a link after a reset by the other end
	n.work.Wait()
	return errors.Join(failed...)
}

// start runs f in a goroutine that Close waits for. It does nothing if the
// network is closed.
func (n *Network) start(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.work.Go(f)
	}
}

// track registers c for cuts and resets. It resets c and returns an error if the network was
// closed, a host crashed or a link began to refuse while c was being opened.
func (n *Network) track(c connection) error {
	r := c.path()
	n.mu.Lock()
	err := r.alive()
	if err == nil {
		n.opened++
		n.conns[c] = n.opened
	}
	n.mu.Unlock()

	if err != nil {
		c.reset(nil)
		return err
	}
	if r.refusals() != r.refused { // also if it refuses no longer
		c.reset(nil)
		return errRefused
	}
	return nil
}

func (n *Network) forget(c connection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.conns, c)
}

// resetAll resets the connections whose route matches fits, the oldest first, so that random
// draws do not depend on map order.
func (n *Network) resetAll(by *Host, fits func(*route) bool) {
	n.mu.Lock()
	var found []connection
	for c := range n.conns {
		if fits(c.path()) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b connection) int { return cmp.Compare(n.conns[a], n.conns[b]) })
	n.mu.Unlock()
	for _, c := range found {
		c.reset(by)
	}
}

// linkNamed returns the link between two hosts, which must exist: a misspelt name would be a
// fault without effect.
func (n *Network) linkNamed(from, to string) (*link, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, fmt.Errorf("the network: %w", net.ErrClosed)
	}
	for _, name := range []string{from, to} {
		if n.hosts[name] == nil {
			return nil, fmt.Errorf("the network has no host %q", name)
		}
	}
	return n.linkLocked(from, to), nil
}

// linkBetween returns the link between two different hosts, which must exist.
func (n *Network) linkBetween(from, to string) (*link, error) {
	if from == to {
		return nil, errors.New("a host always reaches itself")
	}
	return n.linkNamed(from, to)
}

func (n *Network) linkLocked(from, to string) *link {
	k := [2]string{from, to}
	if n.links[k] == nil {
		l := newLink(from, to)
		if from != to {
			l.setBase(n.base)
		}
		n.links[k] = l
	}
	return n.links[k]
}
