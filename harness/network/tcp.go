package network

import (
	"context"
	"errors"
	"net"
)

func (n *Network) connectTCP(ctx context.Context, p *pair) (net.Conn, error) {
	if !p.to.remote && p.to.port.listener() == nil {
		return nil, errRefused
	}
	raw, err := dialRaw(ctx, p.to)
	if err != nil {
		return nil, err
	}
	c := newTCPConn(p, raw)
	if err := n.track(c); err != nil {
		return nil, err
	}
	return c, nil
}

func dialRaw(ctx context.Context, to *Host) (*net.TCPConn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp4", to.Addr())
	if err == nil {
		return c.(*net.TCPConn), nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return nil, op.Err
	}
	return nil, err
}
