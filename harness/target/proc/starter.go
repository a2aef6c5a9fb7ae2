package proc

import (
	"context"
	"errors"
	"fmt"
)

var errDown = errors.New("it does not run")

// running returns the life of a node that runs.
func (n *node) running() (*life, error) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	switch {
	case n.life == nil || n.reason != "":
		return nil, fmt.Errorf("%w: %s", errDown, n.reason)
	case n.life.ended():
		return nil, fmt.Errorf("%w: %s", errDown, n.life.why())
	}
	return n.life, nil
}

// Stop stops the programs of a node, as Program says. If ctx ends first it kills them and returns an error.
func (c *cluster) Stop(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	l, err := n.running()
	if err == nil {
		if c.isPaused(n) {
			err = n.host.Thaw(ctx)
		}
		n.down("stopped")
		err = errors.Join(err, l.stop(ctx, n.view()))
	}
	if err != nil {
		return fmt.Errorf("stop node %s: %w", n.id, err)
	}
	return nil
}

func (c *cluster) isPaused(n *node) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return n.paused
}

// Crash kills everything on the node's host at once, or cuts its power: see Database.CutsPower. It does nothing if the node
// does not run.
func (c *cluster) Crash(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if !c.database.CutsPower {
		return n.crash(ctx, "crashed")
	}
	c.mu.Lock()
	ran := n.life != nil && n.reason == ""
	if ran {
		n.reason, n.paused = "crashed", false
	}
	c.mu.Unlock()
	if !ran {
		return nil
	}
	if err := n.host.CutPower(ctx); err != nil {
		return fmt.Errorf("crash node %s: %w", n.id, err)
	}
	return nil
}

// crash kills a node. node.changing must be held.
func (n *node) crash(ctx context.Context, reason string) error {
	n.cluster.mu.Lock()
	l := n.life
	if l != nil && n.reason == "" {
		n.reason, n.paused = reason, false
	}
	n.cluster.mu.Unlock()
	if l == nil {
		return nil
	}
	if err := l.kill(ctx); err != nil {
		return fmt.Errorf("crash node %s: %w", n.id, err)
	}
	return nil
}

// Start starts a node that does not run, and waits until it is ready.
func (c *cluster) Start(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := n.running(); err == nil {
		return fmt.Errorf("start node %s: it runs", n.id)
	}
	c.mu.Lock()
	removed := n.removed
	c.mu.Unlock()
	if removed {
		return fmt.Errorf("start node %s: it was removed", n.id)
	}
	if err := n.crash(ctx, "crashed"); err != nil { // one of its programs may have ended without the others
		return err
	}
	return n.begin(ctx)
}

// Pause freezes every process on the node's host.
func (c *cluster) Pause(ctx context.Context, node int) error { return c.freeze(ctx, node, true) }

// Resume thaws them.
func (c *cluster) Resume(ctx context.Context, node int) error { return c.freeze(ctx, node, false) }

func (c *cluster) freeze(ctx context.Context, node int, frozen bool) error {
	verb := "pause"
	if !frozen {
		verb = "resume"
	}
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := n.running(); err != nil {
		return fmt.Errorf("%s node %s: %w", verb, n.id, err)
	}
	if frozen == c.isPaused(n) {
		return nil
	}
	if frozen {
		err = n.host.Freeze(ctx)
	} else {
		err = n.host.Thaw(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s node %s: %w", verb, n.id, err)
	}
	c.mu.Lock()
	n.paused = frozen
	c.mu.Unlock()
	return nil
}
