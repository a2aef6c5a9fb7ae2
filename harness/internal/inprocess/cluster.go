package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Plan is what a cluster is made from.
type Plan struct {
	Size    int
	Network *network.Network // closed with the cluster, or if it cannot be booted
	Dir     string           // where the cluster makes its temporary directory
	// InTurn starts one node after the other, and not all at once, so that a seed
	// meets the same order each time.
	InTurn bool
	// Node is the configuration of a node by its name, but for what the cluster
	// knows itself: ID, directory, endpoint and peers.
	Node func(name string) embedded.Config
}

// ClientHost is the place on the network where applications are.
const ClientHost = "client"

// Cluster is a running cluster. It is safe for concurrent use.
type Cluster struct {
	network *network.Network
	dir     string
	nodes   []*node

	mu       sync.Mutex
	isolated []bool
}

var (
	_ target.Cluster    = (*Cluster)(nil)
	_ target.Digester   = (*Cluster)(nil)
	_ target.Rememberer = (*Cluster)(nil)
)

// Boot starts the nodes, named n0, n1 and so on, each in a directory of its own.
// It returns when all of them run, whether or not they have a leader.
func Boot(plan Plan) (_ *Cluster, err error) {
	if plan.Size < 1 {
		err := fmt.Errorf("a cluster of %d nodes cannot be: it needs at least 1", plan.Size)
		return nil, errors.Join(err, plan.Network.Close())
	}
	c := &Cluster{network: plan.Network, isolated: make([]bool, plan.Size)}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boot %d nodes: %w", plan.Size, err), c.Close())
		}
	}()
	if c.dir, err = os.MkdirTemp(plan.Dir, "rejoin-"); err != nil {
		return nil, err
	}
	hosts, err := c.hosts(plan.Size)
	if err != nil {
		return nil, err
	}
	clients, err := c.network.Host(ClientHost)
	if err != nil {
		return nil, err
	}
	peers := make([]embedded.Peer, plan.Size)
	for i, host := range hosts {
		peers[i] = embedded.Peer{ID: host.Name(), Address: host.Addr()}
	}
	c.nodes = make([]*node, plan.Size)
	errs := make([]error, plan.Size)
	start := func(i int) { c.nodes[i], errs[i] = c.start(plan, hosts[i], clients, peers) }
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

func (c *Cluster) start(plan Plan, host, clients *network.Host, peers []embedded.Peer) (*node, error) {
	config := plan.Node(host.Name())
	config.ID, config.Dir, config.Endpoint, config.Peers = host.Name(), filepath.Join(c.dir, host.Name()), host, peers
	if err := os.Mkdir(config.Dir, 0o700); err != nil {
		return nil, err
	}
	running, err := embedded.Start(config)
	if err != nil {
		return nil, err
	}
	return newNode(running, host, clients, config.Token), nil
}

// hosts makes the nodes' places on the network.
func (c *Cluster) hosts(size int) ([]*network.Host, error) {
	hosts := make([]*network.Host, size)
	for i := range hosts {
		var err error
		if hosts[i], err = c.network.Host(fmt.Sprintf("n%d", i)); err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

// Network is what the nodes and their clients reach each other over.
func (c *Cluster) Network() *network.Network { return c.network }

// Nodes are the nodes, in the order of their names.
func (c *Cluster) Nodes() []target.Node {
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

// Isolate surrounds the node with silence, as a network that loses everything;
// its clients are refused at once, so that none of them hangs.
func (c *Cluster) Isolate(_ context.Context, node int) error { return c.setIsolated(node, true) }

// Rejoin mends the node's links, but for those to nodes that are isolated
// themselves.
func (c *Cluster) Rejoin(_ context.Context, node int) error { return c.setIsolated(node, false) }

func (c *Cluster) setIsolated(node int, isolated bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isolated[node] = isolated
	self := c.nodes[node].ID()
	var errs []error
	for i, other := range c.nodes {
		if i != node {
			errs = append(errs, c.setLink(c.network.Between(self, other.ID()), isolated || c.isolated[i], network.Drop))
		}
	}
	errs = append(errs, c.setLink(c.network.Between(self, ClientHost), isolated, network.Refuse))
	return errors.Join(errs...)
}

func (c *Cluster) setLink(pair network.Pair, cut bool, mode network.Mode) error {
	if cut {
		return pair.Cut(mode)
	}
	return pair.Mend()
}

// Digest asks the node itself, past every fault.
func (c *Cluster) Digest(ctx context.Context, node int) (uint64, string, error) {
	return c.nodes[node].running.Digest(ctx)
}

// Remembered asks the node's own database.
func (c *Cluster) Remembered(ctx context.Context, node int) (ids map[string]bool, err error) {
	rows, err := c.nodes[node].inside.Query(ctx, target.Request{SQL: "SELECT id FROM rejoin_requests", Consistency: target.Local})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	ids = make(map[string]bool)
	for rows.NextResult() {
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			ids[row[0].(string)] = true
		}
	}
	return ids, rows.Err()
}

// Memory is what the state machine promises.
func (c *Cluster) Memory() int { return machine.Remembered }

// Close stops all nodes at once, and removes what is left of them.
func (c *Cluster) Close() error {
	errs := make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, n := range c.nodes {
		if n != nil {
			wg.Go(func() { errs[i] = n.close() })
		}
	}
	wg.Wait()
	errs = append(errs, c.network.Close())
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}
