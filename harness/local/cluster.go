package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

type cluster struct {
	network *network.Network
	dir     string
	nodes   []*node

	mu       sync.Mutex
	isolated []bool
}

var (
	_ target.Digester   = (*cluster)(nil)
	_ target.Rememberer = (*cluster)(nil)
)

// hosts makes the nodes' places on the network.
func (c *cluster) hosts(size int) ([]*network.Host, error) {
	hosts := make([]*network.Host, size)
	for i := range hosts {
		var err error
		if hosts[i], err = c.network.Host(fmt.Sprintf("n%d", i)); err != nil {
			return nil, err
		}
	}
	return hosts, nil
}

func (c *cluster) Nodes() []target.Node {
	nodes := make([]target.Node, len(c.nodes))
	for i, n := range c.nodes {
		nodes[i] = n
	}
	return nodes
}

// Isolate surrounds the node with silence, as a network that loses everything;
// its clients are refused at once, so that none of them hangs.
func (c *cluster) Isolate(_ context.Context, node int) error { return c.setIsolated(node, true) }

// Rejoin mends the node's links, but for those to nodes that are isolated
// themselves.
func (c *cluster) Rejoin(_ context.Context, node int) error { return c.setIsolated(node, false) }

func (c *cluster) setIsolated(node int, isolated bool) error {
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
	errs = append(errs, c.setLink(c.network.Between(self, clientHost), isolated, network.Refuse))
	return errors.Join(errs...)
}

func (c *cluster) setLink(pair network.Pair, cut bool, mode network.Mode) error {
	if cut {
		return pair.Cut(mode)
	}
	return pair.Mend()
}

func (c *cluster) Digest(ctx context.Context, node int) (uint64, string, error) {
	return c.nodes[node].running.Digest(ctx)
}

// Remembered asks the node's own database.
func (c *cluster) Remembered(ctx context.Context, node int) (ids map[string]bool, err error) {
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
func (c *cluster) Memory() int { return machine.Remembered }

// Close stops all nodes at once, and removes what is left of them.
func (c *cluster) Close() error {
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
