package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

var (
	errRefused = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	errReset   = syscall.ECONNRESET
)

// route is the path of a connection: the dialing and the accepting host, the incarnation of each,
// and the link in each direction.
type route struct {
	from, to    *Host
	here, there *incarnation
	out, back   *link
	refused     uint64 // refusals when the dial began
}

func (r *route) path() *route { return r }

// refusals is how often one of the links began to refuse. A connection is reset by each.
func (r *route) refusals() uint64 { return r.out.refused.Load() + r.back.refused.Load() }

// alive returns why the connection may no longer exist, or nil. The network must be locked.
func (r *route) alive() error {
	if err := r.here.ended(); err != nil {
		return err
	}
	if r.there.ended() != nil {
		return errRefused
	}
	return nil
}

// DialContext connects to the host with the address addr. It is refused at once if the host does
// not listen or if one of the two links refuses. While one of the links drops everything, it
// blocks until the link is mended or ctx ends. The network must be "tcp" or "tcp4". If the host
// has crashed, or crashes meanwhile, the error wraps net.ErrClosed.
func (h *Host) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := h.dial(ctx, network, addr)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Source: h.port.addr, Addr: address(addr), Err: err}
	}
	return c, nil
}

func (h *Host) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" {
		return nil, net.UnknownNetworkError(network)
	}
	r, err := h.routeTo(addr)
	if err != nil {
		return nil, err
	}
	defer r.here.dials.Done()
	ctx, cancel := r.here.bind(ctx)
	defer cancel()
	c, err := h.network.connect(ctx, r)
	if err != nil && r.here.ended() != nil {
		err = r.here.ended() // has priority over its consequences
	}
	return c, err
}

func (n *Network) connect(ctx context.Context, r *route) (net.Conn, error) {
	r.refused = r.refusals()
	if err := r.await(ctx); err != nil {
		return nil, err
	}
	p := newPair(r, n.seed)
	if err := p.handshake(ctx); err != nil {
		return nil, err
	}
	if err := r.resolve(); err != nil {
		return nil, err
	}
	if n.memory {
		return n.connectMemory(ctx, p)
	}
	return n.connectTCP(ctx, p)
}

// resolve sets the current incarnation of the other host. When the network is closed, both hosts end
// at once; the error of the dialing host has priority.
func (r *route) resolve() error {
	r.from.network.mu.Lock()
	defer r.from.network.mu.Unlock()
	r.there = r.to.current
	switch {
	case r.here.ended() != nil:
		return r.here.ended()
	case r.there.ended() != nil:
		return errRefused
	}
	return nil
}

// routeTo returns the route to addr. It also registers the dial, so that a crash can wait for its
// end.
func (h *Host) routeTo(addr string) (*route, error) {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := h.current.ended(); err != nil {
		return nil, err
	}
	to := n.addrs[addr]
	if to == nil {
		return nil, errors.New("no host of this network has that address")
	}
	h.current.dials.Add(1)
	return &route{from: h, to: to, here: h.current, out: n.linkLocked(h.name, to.name), back: n.linkLocked(to.name, h.name)}, nil
}

// await waits until both links are up, as a handshake requires.
func (r *route) await(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		l := r.out
		c := l.cut.Load()
		if c == nil {
			l = r.back
			c = l.cut.Load()
		}
		if c == nil {
			return nil
		}
		if c.action == fault.Refuse {
			return errRefused
		}
		select {
		case <-c.over:
		case <-ctx.Done():
			return &cutError{l, context.Cause(ctx)}
		}
	}
}

// handshake waits as long as one message each way takes, and then until the links are up.
func (p *pair) handshake(ctx context.Context) error {
	for _, s := range []*stream{p.near.out, p.near.in} {
		if err := s.travel(ctx); err != nil {
			return err
		}
	}
	return p.await(ctx)
}

// travel waits as long as a message without content takes.
func (s *stream) travel(ctx context.Context) error {
	a := s.notice()
	for {
		now := time.Now()
		wait := s.link.due(&a, now).Sub(now)
		if wait <= 0 {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-a.hold().over:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
		t.Stop()
	}
}

// cutError says that a dial ended while it waited for a link that drops everything.
type cutError struct {
	link *link
	err  error
}

func (s *cutError) Error() string {
	return fmt.Sprintf("the link from %s to %s is cut: %v", s.link.from, s.link.to, s.err)
}
func (s *cutError) Unwrap() error { return s.err }

// Timeout implements net.Error.
func (s *cutError) Timeout() bool { return errors.Is(s.err, context.DeadlineExceeded) }

// address is a dialed address, which may not exist.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }
