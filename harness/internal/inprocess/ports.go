package inprocess

import (
	"context"
	"fmt"
	"net"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/network"
)

// Dial connects to a node from the clients' host.
func (c *Cluster) Dial(ctx context.Context, node int) (net.Conn, error) {
	if c.living.Err() != nil {
		return nil, errClosed
	}
	return c.clients.DialContext(ctx, "tcp", c.node(node).place().Addr())
}

// Token returns the token in the nodes' configuration.
func (c *Cluster) Token() string { return c.node(0).config.Token }

// Listen listens at the address of a node that is down.
func (c *Cluster) Listen(node int) (net.Listener, error) {
	n := c.node(node)
	switch {
	case c.living.Err() != nil:
		return nil, errClosed
	case n.runs():
		return nil, fmt.Errorf("listen in place of node %s: it is running", n.ID())
	}
	host := n.place()
	host.Revive()
	return host.Listen()
}

// Move moves a node that is down to a different host, and returns its new address.
func (c *Cluster) Move(ctx context.Context, node int, address string) (string, error) {
	ctx, leave, err := c.changeMembers(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	n := c.node(node)
	if err := n.living.Lock(ctx); err != nil {
		return "", err
	}
	defer n.living.Unlock()
	if n.runs() {
		return "", fmt.Errorf("move node %s: it is running", n.ID())
	}
	to, err := c.vacant(address)
	if err != nil {
		return "", fmt.Errorf("move node %s: %w", n.ID(), err)
	}
	from := n.place()
	err = c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) {
		reset := w.Of(from.Name())
		for i := range reset {
			reset[i].Rule = fault.Rule{}
		}
		w.Forget(from.Name())
		cut, err := w.Add(to.Name())
		return append(reset, cut...), err
	})
	if err != nil {
		return "", fmt.Errorf("move node %s: %w", n.ID(), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.left, to.Addr())
	if c.left == nil {
		c.left = make(map[string]*network.Host)
	}
	c.left[from.Addr()] = from
	n.moveTo(to, c.clients)
	return to.Addr(), nil
}

// vacant returns the host of that address, which a node has left, or a new host if address is empty.
func (c *Cluster) vacant(address string) (*network.Host, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if address == "" {
		c.moved++
		return c.network.Host(fmt.Sprintf("place-%d", c.moved))
	}
	if left := c.left[address]; left != nil {
		return left, nil
	}
	return nil, fmt.Errorf("no node has left the address %s", address)
}

// moveTo changes the host of the node. Callers must hold n.living.
func (n *node) moveTo(place, clients *network.Host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.client.Close()
	n.inside.Close()
	n.host = place
	n.client = client.New(n.ID(), place.Addr(), n.config.Token, clients)
	n.inside = client.New(n.ID(), place.Addr(), n.config.Token, place)
}
