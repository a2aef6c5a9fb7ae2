package process

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Only Linux tells when all threads of a process have stopped. Elsewhere the cluster cannot
// pause nodes, and specs that need that skip themselves.
var _ target.Pauser = (*Cluster)(nil)

// Pause sends SIGSTOP, and returns when all threads of the process have stopped. It does nothing if the node is already
// paused.
func (c *Cluster) Pause(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	c.mu.Lock()
	life, state := n.life, n.state
	c.mu.Unlock()
	switch state {
	case paused:
		return nil
	case down, starting:
		return fmt.Errorf("pause node %s: it is not running", n.id)
	case running:
	}
	if err := life.body.freeze(ctx); err != nil {
		return fmt.Errorf("pause node %s: %w", n.id, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.state == running { // it has not ended in the meantime
		n.state = paused
	}
	return nil
}

// Resume sends SIGCONT, and returns when the node has applied the changes that were queued while it was paused. For a
// moment before that, it runs with its old links, disk and clock. It does nothing if the node is running.
func (c *Cluster) Resume(ctx context.Context, node int) error {
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return err
	}
	defer leave()
	c.mu.Lock()
	life, was := n.life, n.state
	if was == paused {
		n.state = running
	}
	c.mu.Unlock()
	switch {
	case was == running:
		return nil
	case was != paused:
		return fmt.Errorf("resume node %s: it is not running", n.id)
	}
	if err := life.body.thaw(ctx); err != nil {
		return fmt.Errorf("resume node %s: %w", n.id, err)
	}
	return n.deliver(ctx)
}
