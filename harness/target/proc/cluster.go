package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/internal/lifetime"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/target"
)

// clientsName is the name of the clients' host.
const clientsName = "clients"

var errClosed = fmt.Errorf("the cluster: %w", net.ErrClosed)

// cluster is what every cluster can do. See abilities for the rest.
type cluster struct {
	database Database
	network  *hosts.Network
	clients  *hosts.Host
	members  ctxmutex.Mutex // held while the members change
	wiring   ctxmutex.Mutex // held while links change
	links    *linkstate.Links
	watching sync.WaitGroup

	life *lifetime.Lifetime

	skews bool // whether clocks can be set: known after boot

	mu    sync.Mutex // guards the field below, and fields of node and life that say so
	nodes []*node
}

var (
	_ target.Cluster        = (*cluster)(nil)
	_ target.Starter        = (*cluster)(nil)
	_ target.Pauser         = (*cluster)(nil)
	_ target.LinkFaulter    = (*cluster)(nil)
	_ target.FaultInspector = (*cluster)(nil)
	_ target.LogReader      = (*cluster)(nil)
	_ target.FileLister     = (*cluster)(nil)
	_ target.Dialer         = (*cluster)(nil)
	_ target.Enclosed       = (*cluster)(nil)
	_ target.PacketCarrier  = (*cluster)(nil)
	_ target.Listener       = (*cluster)(nil)
	_ target.Declarer       = (*cluster)(nil)
	_ target.Named          = (*cluster)(nil)
)

// Name is the name of the database.
func (c *cluster) Name() string { return c.database.Name }

// Declares are the assumptions of the adapter.
func (c *cluster) Declares() []target.Assumption { return c.database.Declares }

// Claims are the claims of the adapter.
func (c *cluster) Claims() []target.Claim { return c.database.Claims }

// Nodes are all nodes that there ever were.
func (c *cluster) Nodes() []target.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

func (c *cluster) all() []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*node(nil), c.nodes...)
}

func (c *cluster) node(i int) (*node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i < 0 || i >= len(c.nodes) {
		return nil, fmt.Errorf("there is no node %d: the cluster has %d", i, len(c.nodes))
	}
	return c.nodes[i], nil
}

// hostName is the host of a node, or of the clients.
func (c *cluster) hostName(i int) (string, error) {
	if i == fault.Clients {
		return clientsName, nil
	}
	n, err := c.node(i)
	if err != nil {
		return "", err
	}
	return n.id, nil
}

// enter locks operations on a node until leave is called. ctx also ends when the cluster closes.
func (c *cluster) enter(outer context.Context, i int) (n *node, ctx context.Context, leave func(), err error) {
	if n, err = c.node(i); err != nil {
		return nil, nil, nil, err
	}
	if ctx, leave, err = c.life.Locked(outer, n.changing); err != nil {
		return nil, nil, nil, fmt.Errorf("wait for another operation on node %s: %w", n.id, err)
	}
	return n, ctx, leave, nil
}

// Close kills all nodes, and blocks until nothing of the cluster is left. Calls in progress return an error.
func (c *cluster) Close() error {
	return c.life.Close(c.closeOnce)
}

func (c *cluster) closeOnce() error {
	c.members.LockNow()
	nodes := c.all()
	for _, n := range nodes {
		n.changing.LockNow()
	}
	errs := []error{c.network.Close()}
	c.watching.Wait()
	for _, n := range nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}
