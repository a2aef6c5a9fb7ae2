package process

import (
	"context"
	"fmt"
	"net"
)

// Dial connects to a node from the clients' host.
func (c *Cluster) Dial(ctx context.Context, node int) (net.Conn, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	return c.place.clients().DialContext(ctx, "tcp", n.home.addr())
}

// Token returns the token in the nodes' configuration.
func (c *Cluster) Token() string { return c.options.Nodes.Token }

// Listen listens at the address of a node that is down.
func (c *Cluster) Listen(node int) (net.Listener, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	if _, away := n.look(); away == "" {
		return nil, fmt.Errorf("listen in place of node %s: it is running", n.id)
	}
	return n.home.listen(c.life.Context())
}
