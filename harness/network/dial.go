package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

var (
	errRefused = os.NewSyscallError("connect", syscall.ECONNREFUSED)
	errReset   = syscall.ECONNRESET
)

// route is where a connection runs: who dialed whom, and the link each way.
type route struct {
	from, to  *Host
	out, back *link
}

func (r route) path() route { return r }

// DialContext connects to the host with the address addr. It is refused at once if nobody listens
// there or a link on the way refuses. While a link either way drops everything it waits, until the
// link is mended or ctx ends. The network must be "tcp" or "tcp4".
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
	if err := r.await(ctx, h.network.done); err != nil {
		return nil, err
	}
	var p *pair
	if h.network.memory || r.out.delay.Load() != nil || r.back.delay.Load() != nil {
		p = newPair(r, h.network.seed)
		if err := p.shakeHands(ctx, h.network.done); err != nil {
			return nil, err
		}
	}
	l := r.to.port.listener()
	switch {
	case l == nil:
		return nil, errRefused
	case h.network.memory:
		return h.network.connectMemory(ctx, p, l)
	case p != nil:
		return h.network.connectSlow(ctx, p)
	}
	return h.network.connectTCP(ctx, r)
}

func (h *Host) routeTo(addr string) (route, error) {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	to := n.addrs[addr]
	if to == nil {
		return route{}, errors.New("no host of this network has that address")
	}
	return route{h, to, n.linkLocked(h.name, to.name), n.linkLocked(to.name, h.name)}, nil
}

// await returns when a handshake can be made, which takes both links.
func (r route) await(ctx context.Context, closed <-chan struct{}) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
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
		if c.mode == Refuse {
			return errRefused
		}
		select {
		case <-c.over:
		case <-closed:
			return net.ErrClosed
		case <-ctx.Done():
			return &silence{l, ctx.Err()}
		}
	}
}

// shakeHands takes as long as one message each way, and then as long as it takes for the links to
// be up.
func (p *pair) shakeHands(ctx context.Context, closed <-chan struct{}) error {
	if lag := p.near.out.lag() + p.near.in.lag(); lag > 0 {
		t := time.NewTimer(lag)
		defer t.Stop()
		select {
		case <-t.C:
		case <-closed:
			return net.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return p.await(ctx, closed)
}

// silence is why somebody gave up on a link that drops everything.
type silence struct {
	link *link
	err  error
}

func (s *silence) Error() string {
	return fmt.Sprintf("the link from %s to %s is cut: %v", s.link.from, s.link.to, s.err)
}
func (s *silence) Unwrap() error { return s.err }

// Timeout tells callers who look for one through net.Error.
func (s *silence) Timeout() bool { return errors.Is(s.err, context.DeadlineExceeded) }

// address is one that was dialed and need not exist.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }
