// Package fabric carries IP packets between ports, each of which is the network device of a host, and applies a fault.Rule to
// each direction of each pair.
//
//	Port A ── reads ──> link A→B ── rule ──> writes ── Port B
//
// One goroutine reads each port. On a sound link it writes to the other port itself. On any other link packets go through a
// queue, which a goroutine of the link empties when they are due, in the order in which each flow sent them.
package fabric

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// Device is the network device of a host. Write does not keep the packet, and is safe for concurrent use.
type Device interface {
	Read(p []byte) (int, error)
	Write(p []byte) error
	Close() error
}

// Fabric is a set of ports and the links between them. Its methods are safe for concurrent use.
type Fabric struct {
	seed uint64
	work sync.WaitGroup

	mu     sync.Mutex
	closed bool
	names  map[string]*Port
	ports  atomic.Pointer[[]*Port] // by number
	links  []*link
}

// New returns a fabric without ports. Its random numbers come from the seed.
func New(seed uint64) *Fabric {
	f := &Fabric{seed: seed, names: map[string]*Port{}}
	f.ports.Store(new([]*Port))
	return f
}

// errClosed is the error of a fabric after Close.
var errClosed = errors.New("the network is closed")

// Port is where a host is connected.
type Port struct {
	fabric *Fabric
	name   string
	number int
	links  atomic.Pointer[[]*link] // to other ports, by their numbers; nil where nothing was sent yet

	device atomic.Pointer[connected]
}

// connected is a device that is read.
type connected struct {
	Device
	done chan struct{}
}

// Most is how many ports a fabric has at most.
const Most = 1<<16 - 2

// addr returns the address of a port: 10.77.0.1 for number 0, and so on.
func addr(number int) netip.Addr {
	number++
	return netip.AddrFrom4([4]byte{10, 77, byte(number >> 8), byte(number)})
}

// Network is the network in which all addresses are.
var Network = netip.MustParsePrefix("10.77.0.0/16")

// Add adds a port without a device. Names are unique.
func (f *Fabric) Add(name string) (*Port, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ports := *f.ports.Load()
	switch {
	case f.closed:
		return nil, errClosed
	case f.names[name] != nil:
		return nil, fmt.Errorf("there is a host %q already", name)
	case len(ports) == Most:
		return nil, fmt.Errorf("a network has at most %d hosts", Most)
	}
	p := &Port{fabric: f, name: name, number: len(ports)}
	p.links.Store(new([]*link))
	f.names[name] = p
	ports = append(slices.Clone(ports), p)
	f.ports.Store(&ports)
	return p, nil
}

// Addr returns the port's address.
func (p *Port) Addr() netip.Addr { return addr(p.number) }

// Resolve returns the address of a port by its name.
func (f *Fabric) Resolve(name string) (netip.Addr, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.names[name]
	if p == nil {
		return netip.Addr{}, false
	}
	return p.Addr(), true
}

// Connect connects a device to the port, which owns it then. It replaces none: Disconnect comes first.
func (p *Port) Connect(d Device) error {
	c := &connected{d, make(chan struct{})}
	p.fabric.mu.Lock()
	defer p.fabric.mu.Unlock()
	if p.fabric.closed || !p.device.CompareAndSwap(nil, c) {
		return errors.Join(errClosed, d.Close())
	}
	p.fabric.work.Go(func() { p.read(c) })
	return nil
}

// Disconnect closes the port's device. When it has returned, no packet leaves it.
func (p *Port) Disconnect() error {
	c := p.device.Swap(nil)
	if c == nil {
		return nil
	}
	err := c.Close()
	<-c.done
	return err
}

// Close disconnects all ports, and waits for all goroutines.
func (f *Fabric) Close() error {
	f.mu.Lock()
	f.closed = true
	ports, links := *f.ports.Load(), f.links
	f.mu.Unlock()
	var failed []error
	for _, p := range ports {
		failed = append(failed, p.Disconnect())
	}
	for _, l := range links {
		l.close()
	}
	f.work.Wait()
	return errors.Join(failed...)
}

// read reads packets until the device is closed.
func (p *Port) read(c *connected) {
	defer close(c.done)
	buffer := make([]byte, packet.Header+1<<16)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if q := packet.Packet(buffer[:n]); q.Valid() {
			if l := p.toward(q.Destination()); l != nil {
				l.carry(q)
			}
		}
	}
}

// toward returns the link to the port with the address, or nil.
func (p *Port) toward(to netip.Addr) *link {
	if !Network.Contains(to) {
		return nil
	}
	b := to.As4()
	number := int(b[2])<<8 + int(b[3]) - 1
	if number == p.number {
		return nil
	}
	if links := *p.links.Load(); number >= 0 && number < len(links) && links[number] != nil {
		return links[number]
	}
	return p.fabric.link(p, number)
}

// link returns the link from a port to the port of that number, and makes it if needed; nil if there is no such port.
func (f *Fabric) link(from *Port, to int) *link {
	f.mu.Lock()
	defer f.mu.Unlock()
	ports := *f.ports.Load()
	if to < 0 || to >= len(ports) || f.closed {
		return nil
	}
	return f.linkLocked(from, ports[to])
}

func (f *Fabric) linkLocked(from, to *Port) *link {
	links := *from.links.Load()
	if to.number < len(links) && links[to.number] != nil {
		return links[to.number]
	}
	grown := make([]*link, max(len(links), len(*f.ports.Load())))
	copy(grown, links)
	l := newLink(f, from, to)
	grown[to.number] = l
	from.links.Store(&grown)
	f.links = append(f.links, l)
	return l
}

// between returns the link from one host to another.
func (f *Fabric) between(from, to string) (*link, error) {
	if from == to {
		return nil, errors.New("a host always reaches itself")
	}
	return f.named(from, to)
}

// named returns a link between hosts, which must exist: a misspelt name would be a fault without effect. That of a host to
// itself carries nothing.
func (f *Fabric) named(from, to string) (*link, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errClosed
	}
	for _, name := range []string{from, to} {
		if f.names[name] == nil {
			return nil, fmt.Errorf("the network has no host %q", name)
		}
	}
	return f.linkLocked(f.names[from], f.names[to]), nil
}
