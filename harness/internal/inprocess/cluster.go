package inprocess

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Plan describes a cluster.
type Plan struct {
	Name    string // of the target
	Size    int
	Network *network.Network // closed with the cluster, or if Boot fails
	Dir     string           // parent of the cluster's temporary directory
	// InTurn starts the nodes one after the other instead of concurrently, so that a seed gives the same order each
	// time.
	InTurn bool
	// Disk makes the disk of the node with that directory; default disk.Files.
	Disk func(dir string) *disk.Disk
	// Node returns the configuration of a node by name. The cluster fills in ID, directory, disk, clock, endpoint and
	// peers.
	Node func(name string) embedded.Config
}

// errClosed is the error of all calls after Close.
var errClosed = fmt.Errorf("the cluster: %w", net.ErrClosed)

// ClientHost is the name of the clients' host on the network.
const ClientHost = "client"

// Cluster is a running cluster. It is safe for concurrent use.
type Cluster struct {
	plan     Plan
	network  *network.Network
	clients  *network.Host
	dir      *rundir.Dir     // nil until it is made
	changing ctxmutex.Mutex  // held during a membership change
	living   context.Context // ends at Close
	end      context.CancelFunc
	closing  sync.Once
	closed   error

	roles roleReports

	wires sync.Mutex // held while links changes and the change is applied to the network
	links *linkstate.Links

	mu    sync.Mutex
	nodes []*node                  // all nodes, including removed ones
	named int                      // number of names given out
	moved int                      // number of hosts made for nodes that moved
	left  map[string]*network.Host // by address: hosts that nodes have left
}

var (
	_ target.Cluster        = (*Cluster)(nil)
	_ target.Digester       = (*Cluster)(nil)
	_ target.Declarer       = (*Cluster)(nil)
	_ target.Deduplicator   = (*Cluster)(nil)
	_ target.Starter        = (*Cluster)(nil)
	_ target.LinkFaulter    = (*Cluster)(nil)
	_ target.DiskFaulter    = (*Cluster)(nil)
	_ target.ClockSetter    = (*Cluster)(nil)
	_ target.Membership     = (*Cluster)(nil)
	_ target.FaultInspector = (*Cluster)(nil)
	_ target.Diverger       = (*Cluster)(nil)
	_ target.Dialer         = (*Cluster)(nil)
	_ target.Listener       = (*Cluster)(nil)
	_ target.AddressChanger = (*Cluster)(nil)
	_ target.RoleReporter   = (*Cluster)(nil)
	_ target.Named          = (*Cluster)(nil)
)

// Boot starts the nodes, named n0, n1 and so on, each in its own directory. It returns when all of them run, with or
// without a leader.
func Boot(plan Plan) (_ *Cluster, err error) {
	if plan.Size < 1 {
		err := fmt.Errorf("cluster size %d: must be at least 1", plan.Size)
		return nil, errors.Join(err, plan.Network.Close())
	}
	if plan.Disk == nil {
		plan.Disk = func(dir string) *disk.Disk { return disk.Files(dir) }
	}
	c := &Cluster{plan: plan, network: plan.Network, changing: ctxmutex.New(), links: linkstate.New(ClientHost)}
	c.living, c.end = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boot %d nodes: %w", plan.Size, err), c.Close())
		}
	}()
	if c.dir, err = rundir.New(plan.Dir, ""); err != nil {
		return nil, err
	}
	for range plan.Size {
		node, err := c.newNode(true)
		if err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, node)
	}
	// The clients' host comes last, so that the addresses of the nodes do not depend on it.
	if c.clients, err = c.network.Host(ClientHost); err != nil {
		return nil, err
	}
	peers := make([]embedded.Peer, plan.Size)
	for i, node := range c.nodes {
		peers[i] = embedded.Peer{ID: node.ID(), Address: node.place().Addr()}
		node.meetClients(c.clients)
	}
	errs := make([]error, plan.Size)
	start := func(i int) { errs[i] = c.nodes[i].start(peers) }
	var wg sync.WaitGroup
	for i := 1; i < plan.Size; i++ {
		if plan.InTurn {
			start(i)
		} else {
			wg.Go(func() { start(i) })
		}
	}
	wg.Wait()
	start(0) // last, because it stands for election as soon as it runs
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// newNode makes a node without starting it.
func (c *Cluster) newNode(voter bool) (*node, error) {
	c.mu.Lock()
	name := fmt.Sprintf("n%d", c.named)
	c.named++
	index := len(c.nodes)
	c.mu.Unlock()
	host, err := c.network.Host(name)
	if err != nil {
		return nil, err
	}
	if err := c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) { return w.Add(name) }); err != nil {
		return nil, err
	}
	config := c.plan.Node(name)
	config.ID, config.Dir = name, filepath.Join(c.dir.Path(), name)
	config.Roles = c.roles.of(index)
	if err := os.Mkdir(config.Dir, 0o700); err != nil {
		return nil, err
	}
	config.Disk = c.plan.Disk(config.Dir)
	return newNode(config, host, voter), nil
}

// Network returns the network between the nodes and their clients.
func (c *Cluster) Network() *network.Network { return c.network }

// Nodes returns the nodes in the order in which they were added.
func (c *Cluster) Nodes() []target.Node {
	all := c.all()
	nodes := make([]target.Node, len(all))
	for i, n := range all {
		nodes[i] = n
	}
	return nodes
}

func (c *Cluster) all() []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*node(nil), c.nodes...)
}

func (c *Cluster) node(i int) *node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[i]
}

// Declares returns all assumptions: they are sentences about the embedded database.
func (c *Cluster) Declares() []target.Assumption { return target.Assumptions() }

// Digest asks the node directly, so that faults do not affect it.
func (c *Cluster) Digest(ctx context.Context, node int) (uint64, string, error) {
	running, err := c.node(node).up()
	if err != nil {
		return 0, "", err
	}
	return running.Digest(ctx)
}

// Remembered asks the database of the node directly.
func (c *Cluster) Remembered(ctx context.Context, node int) (ids map[string]bool, err error) {
	return client.Remembered(ctx, c.node(node).inside)
}

// Memory returns how many requests the state machine remembers.
func (c *Cluster) Memory() int { return machine.Remembered }

// Close stops all nodes concurrently, and removes their files. It may be called repeatedly and concurrently: each call
// blocks until the cluster is closed.
func (c *Cluster) Close() error {
	c.closing.Do(func() { c.closed = c.closeOnce() })
	return c.closed
}

func (c *Cluster) closeOnce() error {
	c.end()
	c.changing.LockNow() // membership changes end with living
	nodes := c.all()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() { errs[i] = n.close() })
	}
	wg.Wait()
	errs = append(errs, c.network.Close())
	if c.dir != nil {
		errs = append(errs, c.dir.Remove())
	}
	return errors.Join(errs...)
}
