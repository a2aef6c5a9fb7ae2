package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/internal/lifetime"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/target"
)

// clientsName is the name of the clients' host on the network.
const clientsName = "client"

var errClosed = fmt.Errorf("the cluster: %w", net.ErrClosed)

// Cluster is a running cluster. It is safe for concurrent use: operations on one node run one at a time.
type Cluster struct {
	options Options
	onHosts bool
	binary  string
	dir     string // for the nodes' files, unless the place has others
	sockets string // for their control sockets
	own     []*rundir.Dir
	logs    string
	place   place // nil until it is made
	here    *here
	members ctxmutex.Mutex // held during a membership change

	life *lifetime.Lifetime

	mu      sync.Mutex // guards the fields below, and fields of node and here that say so
	links   *linkstate.Links
	nodes   []*node
	joining *node // being added, not in nodes yet
	named   int   // number of names given out
}

var (
	_ target.Cluster        = (*Cluster)(nil)
	_ target.Starter        = (*Cluster)(nil)
	_ target.LinkFaulter    = (*Cluster)(nil)
	_ target.DiskFaulter    = (*Cluster)(nil)
	_ target.ClockSetter    = (*Cluster)(nil)
	_ target.FaultInspector = (*Cluster)(nil)
	_ target.Diverger       = (*Cluster)(nil)
	_ target.Membership     = (*Cluster)(nil)
	_ target.Digester       = (*Cluster)(nil)
	_ target.Declarer       = (*Cluster)(nil)
	_ target.Deduplicator   = (*Cluster)(nil)
	_ target.LogReader      = (*Cluster)(nil)
	_ target.FileLister     = (*Cluster)(nil)
	_ target.Dialer         = (*Cluster)(nil)
	_ target.Listener       = (*Cluster)(nil)
	_ target.Named          = (*Cluster)(nil)
	_ target.Enclosed       = (*Cluster)(nil)
	_ target.PacketCarrier  = (*Cluster)(nil)
)

func newCluster(options Options, onHosts bool) *Cluster {
	c := &Cluster{
		options: options, onHosts: onHosts, members: ctxmutex.New(), links: linkstate.New(clientsName),
		life: lifetime.New(errClosed),
	}
	c.links.Packets = onHosts
	c.here = &here{cluster: c, changing: ctxmutex.New()}
	return c
}

// Name is the name of the cluster's target.
func (c *Cluster) Name() string {
	if c.onHosts {
		return "hosts"
	}
	return "process"
}

// CarriesPackets tells whether the nodes are on hosts, between which a link carries packets.
func (c *Cluster) CarriesPackets() bool { return c.onHosts }

// Enclosed tells whether the nodes are on hosts, which have a network of their own.
func (c *Cluster) Enclosed() bool { return c.onHosts }

// Nodes returns the nodes in the order in which they were added.
func (c *Cluster) Nodes() []target.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

// Declares returns all assumptions: they are sentences about the embedded database.
func (c *Cluster) Declares() []target.Assumption { return target.Assumptions() }

// Digest asks the node directly, so that faults do not affect it.
func (c *Cluster) Digest(ctx context.Context, node int) (uint64, string, error) {
	n, err := c.node(node)
	if err != nil {
		return 0, "", err
	}
	life, err := n.running()
	if err != nil {
		return 0, "", err
	}
	return life.control.Digest(ctx)
}

// Remembered asks the node's database directly.
func (c *Cluster) Remembered(ctx context.Context, node int) (map[string]bool, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	return client.Remembered(ctx, n.Inside())
}

// Memory returns how many requests the state machine remembers.
func (c *Cluster) Memory() int { return machine.Remembered }

func (c *Cluster) node(i int) (*node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i < 0 || i >= len(c.nodes) {
		return nil, fmt.Errorf("there is no node %d: the cluster has %d", i, len(c.nodes))
	}
	return c.nodes[i], nil
}

// allLocked returns the nodes, and the one that is being added.
func (c *Cluster) allLocked() []*node {
	if c.joining == nil {
		return c.nodes
	}
	return append(c.nodes[:len(c.nodes):len(c.nodes)], c.joining)
}

// Close kills all nodes, and blocks until no process, port, goroutine or file of the cluster is left, except for logs in
// Options.Logs. Calls in progress return an error. Further calls of Close wait too.
func (c *Cluster) Close() error {
	return c.life.Close(c.closeOnce)
}

func (c *Cluster) closeOnce() error {
	c.members.LockNow()
	c.mu.Lock()
	nodes := c.allLocked()
	c.mu.Unlock()
	for _, n := range nodes {
		n.changing.LockNow()
	}
	c.here.changing.LockNow()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { errs[i] = n.close() })
	}
	wg.Wait()
	if c.place != nil {
		errs = append(errs, c.place.close())
	}
	for _, dir := range c.own {
		errs = append(errs, remove(dir))
	}
	return errors.Join(errs...)
}

// remove removes a directory, and checks that it is gone: a process that is left could write there again.
func remove(dir *rundir.Dir) error {
	if err := dir.Remove(); err != nil {
		return err
	}
	if _, err := os.Lstat(dir.Path()); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("directory %s exists again after it was removed", dir.Path()), err)
	}
	return nil
}
