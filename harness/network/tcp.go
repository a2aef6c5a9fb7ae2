package network

import (
	"context"
	"errors"
	"net"
)

func (n *Network) connectTCP(ctx context.Context, r route) (net.Conn, error) {
	raw, err := dialRaw(ctx, r.to)
	if err != nil {
		return nil, err
	}
	c := &tcpConn{route: r, raw: raw}
	if err := n.track(c); err != nil {
		return nil, err
	}
	return c, nil
}

// connectSlow puts a connection in memory, which knows about time, before the socket. Delays and
// cuts are all done in memory; the socket at its end is only fed.
func (n *Network) connectSlow(ctx context.Context, p *pair) (net.Conn, error) {
	raw, err := dialRaw(ctx, p.to)
	if err != nil {
		return nil, err
	}
	c := newRelay(p, raw)
	if err := n.track(c); err != nil {
		return nil, err
	}
	if !n.start(c.run) {
		return nil, net.ErrClosed
	}
	return p.near, nil
}

func dialRaw(ctx context.Context, to *Host) (*net.TCPConn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp4", to.Addr())
	var op *net.OpError
	if errors.As(err, &op) {
		return nil, op.Err
	}
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}
