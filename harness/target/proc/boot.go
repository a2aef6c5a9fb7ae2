package proc

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/rejoin-db/rejoin/harness/hosts"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/internal/lifetime"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are the settings of a target. The zero Options are valid.
type Options struct {
	// Dir is the parent of the folders of a cluster; empty is the system's temporary folder.
	Dir string
	// Kept is a folder for the disks of clusters that were formed and stopped, one for each size; empty is none. The first Boot of
	// a size makes them, and each node of a later cluster begins with its own, in place of Database.Disk and Prepare; see also
	// Database.Alike. It saves a database the time that its nodes need to find each other, and is sound where a node has the same
	// name and the same address in every cluster, as here. The folder must exist, and may be shared by processes that run the same
	// database in the same setting.
	Kept string
}

// New returns a target that boots clusters of a database.
func New(database Database, options Options) target.Target { return &booter{database, options} }

type booter struct {
	database Database
	options  Options
}

// Boot makes hosts and starts a node on each. On a machine on which hosts cannot be made the error is the sentence of
// hosts.Supported.
func (b *booter) Boot(ctx context.Context, size int) (target.Cluster, error) {
	database, err := b.database.checked()
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, fmt.Errorf("boot %s: a cluster has at least one node, not %d", database.Name, size)
	}
	kept, err := b.kept(ctx, database, size)
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", database.Name, err)
	}
	c, err := b.bootFrom(ctx, database, size, kept)
	if err != nil {
		return nil, err
	}
	return c.withAbilities(ctx), nil
}

// bootFrom boots a cluster, with kept disks if there are any.
func (b *booter) bootFrom(ctx context.Context, database Database, size int, kept string) (*cluster, error) {
	network, err := hosts.New(hosts.Options{Dir: b.options.Dir})
	if err != nil {
		return nil, fmt.Errorf("boot %s: %w", database.Name, err)
	}
	c := &cluster{
		database: database, network: network, members: ctxmutex.New(), wiring: ctxmutex.New(), links: linkstate.New(clientsName),
		life: lifetime.New(errClosed),
	}
	c.links.Packets = true
	if err := c.boot(ctx, size, kept); err != nil {
		return nil, errors.Join(fmt.Errorf("boot %s: %w", database.Name, err), c.Close())
	}
	return c, nil
}

// checked is the database with its defaults, or what is missing of it.
func (d Database) checked() (Database, error) {
	for _, required := range []struct {
		missing bool
		field   string
	}{{d.Name == "", "Name"}, {len(d.Programs) == 0, "Programs"}, {d.Address == "", "Address"}, {d.SQL == nil, "SQL"}} {
		if required.missing {
			return d, fmt.Errorf("the database %q has no %s: see proc.Database", d.Name, required.field)
		}
	}
	if d.Status == nil {
		d.Status = answers
	}
	if d.Ready == nil {
		d.Ready = func(ctx context.Context, node *Node) error { _, err := d.Status(ctx, node); return err }
	}
	return d, nil
}

// answers is the status of a database that reports none: it answers, or does not.
func answers(ctx context.Context, node *Node) (target.Status, error) {
	rows, err := node.Inside().Query(ctx, target.Request{SQL: "SELECT 1", Consistency: target.Local})
	if err != nil {
		return target.Status{}, err
	}
	for rows.NextResult() {
		for rows.Next() {
		}
	}
	return target.Status{State: target.Online, LastContact: -1}, errors.Join(rows.Err(), rows.Close())
}

func (c *cluster) boot(ctx context.Context, size int, kept string) (err error) {
	ctx, cancel := c.life.Bound(ctx)
	defer cancel()
	if c.clients, err = c.network.Host(ctx, clientsName); err != nil {
		return err
	}
	for i := range size {
		n, err := c.newNode(ctx, i)
		if err != nil {
			return err
		}
		if _, err := c.links.Add(n.id); err != nil {
			return err
		}
		n.bootstrap, n.forming = i == 0, true
		if kept != "" {
			from := i
			if c.database.Alike {
				from = 0
			}
			n.kept = filepath.Join(kept, nameOf(from))
		}
		c.mu.Lock()
		c.nodes = append(c.nodes, n)
		c.mu.Unlock()
	}
	nodes := c.all()
	c.skews = c.database.Clocks && prepareClocks(ctx, nodes) == nil
	for len(nodes) > 0 {
		now := nodes
		if c.database.Order == OneByOne || c.database.Order == FirstAlone && len(nodes) == size {
			now = nodes[:1]
		}
		nodes = nodes[len(now):]
		if err := beginAll(ctx, now); err != nil {
			return err
		}
	}
	c.mu.Lock()
	for _, n := range c.nodes {
		n.forming = false
	}
	c.mu.Unlock()
	if c.database.Formed == nil {
		return nil
	}
	return c.form(ctx)
}

// form calls Database.Formed, whose context ends if a program of a node ends.
func (c *cluster) form(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel(nil)
	var all []*Node
	first := c.all()[0] // whose log the error has: the first node that ended, or n0
	for _, n := range c.all() {
		all = append(all, n.own())
		c.mu.Lock()
		l := n.life
		c.mu.Unlock()
		watching.Go(func() {
			select {
			case <-l.over:
				cancel(&endedError{n, l.why()})
			case <-ctx.Done():
			}
		})
	}
	err := c.database.Formed(ctx, all)
	if err == nil {
		return nil
	}
	if ended := (*endedError)(nil); errors.As(context.Cause(ctx), &ended) {
		first, err = ended.node, errors.Join(ended, err)
	}
	said, _ := first.host.Log(2000)
	return fmt.Errorf("form the cluster: %w; the end of the log of node %s:\n%s", err, first.id, said)
}

// endedError is the error of a node that ended while the cluster was formed.
type endedError struct {
	node *node
	why  string
}

func (e *endedError) Error() string { return fmt.Sprintf("node %s has ended: %s", e.node.id, e.why) }

// beginAll starts nodes at once.
func beginAll(ctx context.Context, nodes []*node) error {
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			n.changing.LockNow()
			defer n.changing.Unlock()
			errs[i] = n.begin(ctx)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// prepareClocks makes the clocks of nodes ones that can be set later, before their programs start.
func prepareClocks(ctx context.Context, nodes []*node) error {
	for _, n := range nodes {
		if err := n.host.SetClock(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}
