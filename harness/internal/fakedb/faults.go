package fakedb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Stop ends a running node. It keeps its rows, as after a crash: everything is durable at once.
func (c *Cluster) Stop(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "stop")
	if err != nil {
		return err
	}
	defer leave()
	if !n.runs() {
		return fmt.Errorf("stop node %s: %w", n.ID(), n.away())
	}
	n.sayLocked("stopped")
	n.endLocked()
	return nil
}

// Crash ends a node, which may be paused.
func (c *Cluster) Crash(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "crash")
	if err != nil {
		return err
	}
	defer leave()
	if n.down {
		return fmt.Errorf("crash node %s: %w", n.ID(), n.away())
	}
	n.endLocked()
	return nil
}

// Start starts a node.
func (c *Cluster) Start(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "start")
	if err != nil {
		return err
	}
	defer leave()
	if !n.down {
		return fmt.Errorf("start node %s: it runs", n.ID())
	}
	n.beginLocked()
	return nil
}

// Pause pauses a node.
func (c *Cluster) Pause(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "pause")
	if err != nil {
		return err
	}
	defer leave()
	if n.down {
		return fmt.Errorf("pause node %s: %w", n.ID(), n.away())
	}
	if n.resumed == nil {
		n.resumed = make(chan struct{})
	}
	return nil
}

// Resume resumes a node.
func (c *Cluster) Resume(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "resume")
	if err != nil {
		return err
	}
	defer leave()
	if n.down {
		return fmt.Errorf("resume node %s: %w", n.ID(), n.away())
	}
	if n.resumed != nil {
		close(n.resumed)
		n.resumed = nil
	}
	return nil
}

// SetDisk sets the faults of a node's disk. Full, Failing and Slow have an effect.
func (c *Cluster) SetDisk(ctx context.Context, i int, faults fault.Disk) error {
	if faults.Slow < 0 {
		return errors.New("a disk cannot be faster")
	}
	n, leave, err := c.at(ctx, i, "set the disk of")
	if err != nil {
		return err
	}
	defer leave()
	n.disk = faults
	return nil
}

// Damage returns the name of a file, and does nothing: the rows are in memory.
func (c *Cluster) Damage(ctx context.Context, i int, part fault.Part) (string, error) {
	if err := part.Validate(); err != nil {
		return "", err
	}
	_, leave, err := c.at(ctx, i, "damage")
	if err != nil {
		return "", err
	}
	defer leave()
	return "state", nil
}

// Disk is the faults of a node's disk.
func (c *Cluster) Disk(ctx context.Context, i int) (fault.Disk, error) {
	n, leave, err := c.at(ctx, i, "inspect the disk of")
	if err != nil {
		return fault.Disk{}, err
	}
	defer leave()
	return n.disk, nil
}

// SetClock sets a node's clock, which only Clock reads.
func (c *Cluster) SetClock(ctx context.Context, i int, ahead time.Duration) error {
	n, leave, err := c.at(ctx, i, "set the clock of")
	if err != nil {
		return err
	}
	defer leave()
	n.ahead = ahead
	return nil
}

// Clock is how far a node's clock is ahead.
func (c *Cluster) Clock(ctx context.Context, i int) (time.Duration, error) {
	n, leave, err := c.at(ctx, i, "inspect the clock of")
	if err != nil {
		return 0, err
	}
	defer leave()
	return n.ahead, nil
}

// Add adds a node.
func (c *Cluster) Add(ctx context.Context, voter bool) (target.Node, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settleLocked()
	if !c.leadsLocked(c.leader) {
		return nil, &target.Error{Code: "FAKE", Message: "no leader", Outcome: target.NotApplied, Kind: target.ErrNoLeader}
	}
	n, err := c.addLocked(voter)
	c.settleLocked()
	return n, err
}

// Remove removes a node.
func (c *Cluster) Remove(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "remove")
	if err != nil {
		return err
	}
	defer leave()
	if _, is := c.ledLocked(c.leader); !is {
		return fmt.Errorf("remove node %s: there is no leader", n.ID())
	}
	n.endLocked()
	n.removed = true
	return nil
}

// Replace gives a node that does not run an empty disk, and starts it.
func (c *Cluster) Replace(ctx context.Context, i int) error {
	n, leave, err := c.at(ctx, i, "replace")
	if err != nil {
		return err
	}
	defer leave()
	if !n.down {
		return fmt.Errorf("replace node %s: it runs", n.ID())
	}
	if err := n.wipe(); err != nil {
		return fmt.Errorf("replace node %s: %w", n.ID(), err)
	}
	n.beginLocked()
	return nil
}
