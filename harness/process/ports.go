package process

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/rejoin-db/rejoin/harness/network"
)

// Dial connects to a node from the clients' host.
func (c *Cluster) Dial(ctx context.Context, node int) (net.Conn, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	return c.clients.host.DialContext(ctx, "tcp", n.reservation.Addr())
}

// Token returns the token in the nodes' configuration.
func (c *Cluster) Token() string { return c.options.Nodes.Token }

// Listen listens at the address of a node that is down, on the port that is reserved for it.
func (c *Cluster) Listen(node int) (net.Listener, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	if _, away := n.look(); away == "" {
		return nil, fmt.Errorf("listen in place of node %s: it is running", n.id)
	}
	own := network.TCP()
	host, err := own.Join(n.id, n.reservation.Addr())
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	listener, err := host.Listen()
	if err != nil {
		return nil, errors.Join(err, own.Close())
	}
	return inPlace{listener, own}, nil
}

// inPlace is a listener with its own network.
type inPlace struct {
	net.Listener
	own *network.Network
}

// Close also closes accepted connections.
func (l inPlace) Close() error { return errors.Join(l.Listener.Close(), l.own.Close()) }
