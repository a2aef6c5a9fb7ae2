package harness

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// What follows is for who has moved the member's flag: nobody else changes how
// the node is lost meanwhile. Each step that is done is remembered, so that what
// fails halfway can be tried again from there.

// inject does something to a node, and writes it down.
func (c *Cluster) inject(i int, what string, do func() error) error {
	end := c.journal.Begin(journal.Fault, i, "%s", what)
	err := do()
	end(err)
	return err
}

// restore undoes what was done to the node.
func (c *Cluster) restore(ctx context.Context, m *member) error {
	i := m.node.index
	if err := c.rejoin(ctx, m); err != nil {
		return err
	}
	switch m.mode {
	case fault.Stop, fault.Crash:
		starter, can := target.As[target.Starter](c.cluster)
		if !can {
			return &UnsupportedError{target.Stop}
		}
		return c.inject(i, "start", func() error { return starter.Start(ctx, i) })
	case fault.Pause:
		pauser, can := target.As[target.Pauser](c.cluster)
		if !can {
			return &UnsupportedError{target.Pause}
		}
		return c.inject(i, "resume", func() error { return pauser.Resume(ctx, i) })
	}
	return nil
}

// rejoin mends what isolated the node, if anything does.
func (c *Cluster) rejoin(ctx context.Context, m *member) error {
	i := m.node.index
	if !m.isolated {
		return nil
	}
	if err := c.inject(i, "rejoin", func() error { return c.cluster.Rejoin(ctx, i) }); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.isolated = false
	return nil
}

// replaceDisk lets the node begin anew, on an empty and sound disk.
func (c *Cluster) replaceDisk(ctx context.Context, m *member) error {
	i := m.node.index
	membership, can := target.As[target.Membership](c.cluster)
	if !can {
		return &UnsupportedError{target.Members}
	}
	if m.mode == fault.Isolate || m.mode == fault.Pause {
		starter, can := target.As[target.Starter](c.cluster)
		if !can {
			return &UnsupportedError{target.Crash}
		}
		if m.mode == fault.Isolate {
			m.node.remember(ctx)
		}
		if err := c.inject(i, "crash", func() error { return starter.Crash(ctx, i) }); err != nil {
			return err
		}
		c.mu.Lock()
		m.mode = fault.Crash
		c.mu.Unlock()
	}
	if err := c.rejoin(ctx, m); err != nil {
		return err
	}
	if c.Faults().Disks[i] != (fault.Disk{}) {
		if err := c.SetDisk(ctx, i, fault.Disk{}); err != nil {
			return err
		}
	}
	if err := c.joining.Lock(ctx); err != nil {
		return err
	}
	defer c.joining.Unlock()
	c.monitor.Forget(i)
	return c.inject(i, "replace the disk", func() error { return membership.Replace(ctx, i) })
}
