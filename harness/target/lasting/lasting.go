package lasting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/held"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Options are how clusters last.
type Options struct {
	// Reset removes all that users have made in the database of a cluster whose nodes are all online, and the requests that it
	// remembers. It returns when the change is acknowledged. It is required.
	Reset func(ctx context.Context, c target.Cluster) error
	// Uses is how many specs a cluster serves at most; 0 is 20. It bounds logs and disks.
	Uses int
}

// Target is a target whose clusters serve several specs. It is safe for concurrent use.
type Target struct {
	over    target.Target
	options Options

	mu     sync.Mutex
	before held.Resources // nil until the first Boot
	idle   map[int][]*cluster
	closed bool
}

// New returns a target whose clusters are those of another one. Close it when no spec runs any longer.
func New(over target.Target, options Options) *Target {
	options.Uses = cmp.Or(options.Uses, 20)
	return &Target{over: over, options: options, idle: make(map[int][]*cluster)}
}

var errClosed = errors.New("the target of lasting clusters is closed")

// Boot returns a cluster of that size which was released, or boots one. It does not wait for a cluster that is in use.
func (t *Target) Boot(ctx context.Context, size int) (target.Cluster, error) {
	if t.options.Reset == nil {
		return nil, errors.New("boot a lasting cluster: lasting.Options.Reset is missing")
	}
	kept, err := t.take(size)
	if kept != nil || err != nil {
		return kept, err
	}
	booted, err := t.over.Boot(ctx, size)
	if err != nil {
		return nil, err
	}
	c := &cluster{Cluster: booted, target: t, size: size}
	c.versions, err = versions(booted)
	if err != nil {
		return nil, errors.Join(err, booted.Close())
	}
	return c, nil
}

// take returns a cluster that was released, in a new handle: what is left of an old one must not reach it. It is nil if there
// is none.
func (t *Target) take(size int) (target.Cluster, error) {
	now, err := held.Now()
	if err != nil {
		return nil, fmt.Errorf("boot a lasting cluster: list what this process holds: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if t.before == nil {
		t.before = now
	}
	idle := t.idle[size]
	if len(idle) == 0 {
		return nil, nil
	}
	last := idle[len(idle)-1]
	t.idle[size] = idle[:len(idle)-1]
	return &cluster{Cluster: last.Cluster, target: t, size: size, used: last.used, versions: last.versions}, nil
}

// Foretell is what the other target foretells, or nil.
func (t *Target) Foretell() target.Cluster {
	if foreteller, foretells := t.over.(target.Foreteller); foretells {
		return foreteller.Foretell()
	}
	return nil
}

// Close closes the clusters that are not in use, and blocks until nothing of them is left. The error names what this process
// still holds that it did not hold before the first Boot: files, sockets and child processes. Closing twice is no error.
func (t *Target) Close() error {
	t.mu.Lock()
	closed, before := t.closed, t.before
	t.closed = true
	t.mu.Unlock()
	if closed || before == nil {
		return nil
	}
	err := t.CloseIdle()
	now, listed := held.Now()
	if left := now.Without(before); listed == nil && len(left) > 0 {
		listed = fmt.Errorf("lasting clusters have left open: %q", left)
	}
	return errors.Join(err, listed)
}

// CloseIdle closes the clusters that are not in use, and blocks until they are closed: for a test which compares what this process
// holds. The next Boot boots.
func (t *Target) CloseIdle() error {
	t.mu.Lock()
	idle := t.idle
	t.idle = make(map[int][]*cluster)
	t.mu.Unlock()
	var errs []error
	for _, clusters := range idle {
		for _, c := range clusters {
			errs = append(errs, c.Cluster.Close())
		}
	}
	return errors.Join(errs...)
}

// keep makes a cluster one that Boot may return, or tells that it must be closed.
func (t *Target) keep(c *cluster) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || c.used >= t.options.Uses {
		return false
	}
	t.idle[c.size] = append(t.idle[c.size], c)
	return true
}

// cluster is a cluster in the hands of one spec.
type cluster struct {
	target.Cluster
	target   *Target
	size     int
	used     int // specs that it has served before
	versions []string

	mu    sync.Mutex
	ended bool
}

var _ target.Reusable = (*cluster)(nil)

// Unwrap is the cluster of the other target.
func (c *cluster) Unwrap() target.Cluster { return c.Cluster }

// Close closes the cluster, unless it was released.
func (c *cluster) Close() error {
	if !c.end() {
		return nil
	}
	return c.Cluster.Close()
}

// end tells whether the spec still had the cluster.
func (c *cluster) end() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := !c.ended
	c.ended = true
	return had
}

// Release is target.Reusable.
func (c *cluster) Release(ctx context.Context) (kept bool, err error) {
	if !c.end() {
		return false, nil
	}
	c.used++
	if c.used < c.target.options.Uses {
		if err = c.clean(ctx); err == nil && c.target.keep(c) {
			return true, nil
		}
	}
	return false, errors.Join(err, c.Cluster.Close())
}

// clean empties a cluster that is as it was booted.
func (c *cluster) clean(ctx context.Context) error {
	nodes := c.Nodes()
	if len(nodes) != c.size {
		return fmt.Errorf("the cluster is not used again: it was booted with %d nodes, and has had %d", c.size, len(nodes))
	}
	if err := online(ctx, nodes); err != nil {
		return fmt.Errorf("the cluster is not used again: %w", err)
	}
	now, err := versions(c.Cluster)
	if err == nil && !slices.Equal(now, c.versions) {
		err = fmt.Errorf("its nodes had the versions %q, and have %q", c.versions, now)
	}
	if err == nil {
		err = c.target.options.Reset(ctx, c.Cluster)
	}
	if err != nil {
		return fmt.Errorf("the cluster is not used again: %w", err)
	}
	return nil
}

const (
	// settling bounds how long a node may be behind or without a leader: the work of a database in the background makes it so for
	// a moment.
	settling = 15 * time.Second
	// askEvery is how often a node is asked for its status.
	askEvery = 50 * time.Millisecond
)

// online waits until all nodes are.
func online(ctx context.Context, nodes []target.Node) error {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for _, node := range nodes {
		for {
			said, err := node.Status(ctx)
			if err != nil {
				return err
			}
			if said.State == target.Online {
				break
			}
			is := fmt.Errorf("node %s is %s (%s)", node.ID(), said.State, said.Reason)
			if said.State != target.Syncing && said.State != target.Connecting {
				return is
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return fmt.Errorf("wait until all nodes are online: %w; last: %w", context.Cause(ctx), is)
			}
		}
	}
	return nil
}

// versions are those of the nodes, if they can be changed.
func versions(c target.Cluster) (versions []string, err error) {
	upgrader, can := target.As[target.Upgrader](c)
	if !can {
		return nil, nil
	}
	for i := range c.Nodes() {
		version, err := upgrader.Version(i)
		if err != nil {
			return nil, err
		}
		versions = append(versions, version)
	}
	return versions, nil
}
