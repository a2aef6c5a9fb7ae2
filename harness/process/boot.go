package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
	"github.com/rejoin-db/rejoin/harness/process/child"
)

func boot(ctx context.Context, options Options, onHosts bool, size int) (_ *Cluster, err error) {
	if size < 1 {
		return nil, fmt.Errorf("cluster size %d: must be at least 1", size)
	}
	c := newCluster(options, onHosts)
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("boot %d nodes: %w", size, err), c.Close())
		}
	}()
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	if c.nodes, err = c.newNodes(ctx, size, true); err != nil {
		return nil, err
	}
	var first []child.Host
	for _, n := range c.nodes {
		first = append(first, n.host())
	}
	if err := c.startAll(ctx, first); err != nil {
		return nil, err
	}
	return c, nil
}

// startAll starts all processes first, since that takes longest, and then configures them. The first node is configured
// last, because it stands for election as soon as it runs.
func (c *Cluster) startAll(ctx context.Context, first []child.Host) error {
	for _, n := range c.nodes {
		if err := c.launch(ctx, n); err != nil {
			return err
		}
	}
	errs := make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, n := range c.nodes[1:] {
		wg.Go(func() { errs[1+i] = c.introduce(ctx, n, first) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return c.introduce(ctx, c.nodes[0], first)
}

// longestSocket is the longest possible name of a control socket.
const longestSocket = "n000000.sock"

// prepare finds the binary, and makes the directories and the place.
func (c *Cluster) prepare(ctx context.Context) (err error) {
	if c.binary = c.options.Binary(); c.binary == "" {
		return errors.New("Options.Binary returned no path: has the node's program been built?")
	}
	if c.dir, err = c.newDir(c.options.Nodes.Dir); err != nil {
		return err
	}
	c.sockets, c.logs = c.dir, c.dir
	if len(filepath.Join(c.dir, longestSocket)) > child.MaxControl {
		if c.sockets, err = c.newDir("/tmp"); err != nil {
			return err
		}
	}
	if c.options.Logs != "" {
		if c.logs, err = os.MkdirTemp(c.options.Logs, filepath.Base(c.dir)+"-"); err != nil {
			return err
		}
	}
	if c.onHosts {
		c.place, err = newOnHosts(ctx, c.dir)
	} else {
		c.place, err = newLoopback(c.dir)
	}
	return err
}

// newDir makes a directory that is removed with the cluster.
func (c *Cluster) newDir(parent string) (path string, err error) {
	dir, err := rundir.New(parent, "")
	if err != nil {
		return "", err
	}
	c.own = append(c.own, dir)
	return dir.Path(), nil
}

// newNodes makes nodes without starting them, and makes them known to the clients.
func (c *Cluster) newNodes(ctx context.Context, number int, voters bool) ([]*node, error) {
	var names []string
	c.mu.Lock()
	for range number {
		names = append(names, fmt.Sprintf("n%d", c.named))
		c.named++
	}
	c.mu.Unlock()
	homes, err := c.place.homes(ctx, names)
	if err != nil {
		return nil, err
	}
	var nodes []*node
	for i, name := range names {
		nodes = append(nodes, &node{
			cluster: c, id: name, home: homes[i], changing: ctxmutex.New(), voter: voters,
			log: filepath.Join(c.logs, name+".log"), socket: filepath.Join(c.sockets, name+".sock"),
			client: client.New(name, homes[i].addr(), c.options.Nodes.Token, c.place.clients()),
		})
	}
	if err := c.connect(nodes); err != nil {
		for _, n := range nodes {
			err = errors.Join(err, n.close())
		}
		return nil, err
	}
	return nodes, nil
}

// connect adds the links of new nodes. Isolated nodes are told of them together with the new hosts.
func (c *Cluster) connect(nodes []*node) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range nodes {
		changes, err := c.links.Add(n.id)
		if err != nil {
			return err
		}
		c.noteLocked(changes)
	}
	return nil
}
