package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/process/child"
)

// Reasons for a node to be down.
const (
	stopped = "stopped"
	crashed = "crashed"
)

// enter locks operations on the node until leave is called. ctx also ends when the cluster closes.
func (c *Cluster) enter(outer context.Context, i int) (n *node, ctx context.Context, leave func(), err error) {
	if n, err = c.node(i); err != nil {
		return nil, nil, nil, err
	}
	if ctx, leave, err = c.life.Locked(outer, n.changing); err != nil {
		return nil, nil, nil, fmt.Errorf("wait for another operation on node %s: %w", n.id, err)
	}
	return n, ctx, leave, nil
}

// Stop sends SIGTERM, and waits until the process has ended. It returns an error if the exit code is not 0. If ctx ends
// first, it kills the process and returns an error.
func (c *Cluster) Stop(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	life, err := n.leaving(stopped)
	if err != nil {
		return fmt.Errorf("stop node %s: %w", n.id, err)
	}
	if err := life.body.terminate(); err != nil {
		return fmt.Errorf("stop node %s: %w", n.id, errors.Join(err, life.kill(ctx)))
	}
	if err := n.awaitStop(ctx, life); err != nil {
		return fmt.Errorf("stop node %s: it was killed: %w", n.id, errors.Join(err, life.kill(c.life.Context())))
	}
	if life.exit != nil {
		return fmt.Errorf("stop node %s: %w", n.id, life.endError())
	}
	return nil
}

// longestSync is how long a process that was told to stop may wait for a slow disk.
const longestSync = time.Second

// awaitStop waits until a process has ended that was told to. No process ends while it waits for a sync. So a disk below it
// that hangs goes on after longestSync, unless it has torn a sync.
func (n *node) awaitStop(ctx context.Context, life *life) error {
	disk := n.home.disk()
	if disk == nil {
		return life.await(ctx)
	}
	soon, cancel := context.WithTimeout(ctx, longestSync)
	defer cancel()
	if life.await(soon) == nil {
		return nil
	}
	end, err := disk.HurryDisk(ctx)
	if err != nil {
		return err
	}
	defer end()
	return life.await(ctx)
}

// leaving records why a running node will be down, and returns its life.
func (n *node) leaving(reason string) (*life, error) {
	life, err := n.running()
	if err != nil {
		return nil, err
	}
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	n.reason = reason
	return life, nil
}

// Crash sends SIGKILL, and waits until the process has ended. What it has not synced is lost. It does nothing if the node is
// down.
func (c *Cluster) Crash(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	return n.crash(ctx, crashed)
}

// crash kills the node. Callers must hold n.changing.
func (n *node) crash(ctx context.Context, reason string) error {
	c := n.cluster
	c.mu.Lock()
	life, state := n.life, n.state
	if state != down {
		n.reason = reason
	}
	c.mu.Unlock()
	if state == down {
		return nil
	}
	if err := life.crash(ctx); err != nil {
		return fmt.Errorf("crash node %s: %w", n.id, err)
	}
	return nil
}

// Start starts a node that is down, and returns when it serves.
func (c *Cluster) Start(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	return n.start(ctx)
}

// start starts the node without initial members: it knows them from its log. Callers must hold n.changing.
func (n *node) start(ctx context.Context) error {
	c := n.cluster
	c.mu.Lock()
	state, removed := n.state, n.removed
	c.mu.Unlock()
	switch {
	case removed:
		return fmt.Errorf("start node %s: it was removed from the cluster", n.id)
	case state != down:
		return fmt.Errorf("start node %s: it is already running", n.id)
	}
	if err := c.launch(ctx, n); err != nil {
		return err
	}
	return c.introduce(ctx, n, nil)
}

// launch starts the node's process, which then waits for its configuration.
func (c *Cluster) launch(ctx context.Context, n *node) error {
	l, err := c.start(ctx, n)
	if err != nil {
		return fmt.Errorf("start node %s: %w", n.id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.life, n.state, n.reason = l, starting, ""
	go l.watch(n.ended) // ends when done is closed, which close waits for
	return nil
}

// introduce sends the configuration to a launched process, and returns when it serves. first are the initial members of a
// new cluster. If introduce fails, it kills the process.
func (c *Cluster) introduce(ctx context.Context, n *node, first []child.Host) error {
	c.mu.Lock()
	life := n.life
	config := n.configLocked(first)
	c.mu.Unlock()
	if err := life.introduce(ctx, config); err != nil {
		return errors.Join(fmt.Errorf("start node %s: %w", n.id, err), n.crash(c.life.Context(), "it could not start"))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.state == starting {
		n.state = running
	}
	return nil
}

// ended records the end of the node's latest process.
func (n *node) ended(l *life) {
	by := l.endError().Error()
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	n.state = down
	if n.reason == "" { // it ended by itself
		n.reason = by
	}
}

func (n *node) configLocked(first []child.Host) child.Config {
	o := n.cluster.options.Nodes
	return child.Config{
		ID:                n.id,
		Address:           n.home.addr(),
		Dir:               n.home.dir(),
		Control:           n.socket,
		First:             first,
		ElectionTimeout:   o.ElectionTimeout,
		SnapshotThreshold: o.SnapshotThreshold,
		SnapshotInterval:  o.SnapshotInterval,
		TrailingLogs:      o.TrailingLogs,
		WriteTimeout:      o.WriteTimeout,
		RequestTimeout:    o.RequestTimeout,
		MaxBody:           o.MaxBody,
		Token:             o.Token,
		Limits:            limitsOf(o.Machine),
		Skip:              o.Machine.Skip,
		LogLevel:          o.LogLevel,
		Orders:            n.allOrdersLocked(),
	}
}

func limitsOf(o machine.Options) child.Limits {
	return child.Limits{
		Budget: o.Budget, Memory: o.Memory, AnswerLimit: o.AnswerLimit,
		ReadBudget: o.ReadBudget, ReadMemory: o.ReadMemory, Readers: o.Readers,
	}
}
