package harness

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// The callers of these functions hold the transition of the member's flag. Each step that is
// done is noted, so that a call that fails halfway can be repeated from there.

// inject makes a fault of a node or undoes it, and records that.
func (c *Cluster) inject(i int, phase journal.Phase, kind fault.Kind, do func() error) error {
	event := c.recordFault(phase, fault.Fault{Kind: kind, Node: i}, "")
	err := do()
	about := aboutProcess
	if kind == fault.KindIsolate {
		about = aboutIsolation
	}
	event.endOf(err, ofNode(about, i))
	return err
}

// restore undoes the fault that made the node fail.
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
		return c.inject(i, journal.Ends, fault.Kind(m.mode), func() error { return starter.Start(ctx, i) })
	case fault.Pause:
		pauser, can := target.As[target.Pauser](c.cluster)
		if !can {
			return &UnsupportedError{target.Pause}
		}
		return c.inject(i, journal.Ends, fault.KindPause, func() error { return pauser.Resume(ctx, i) })
	case fault.Isolate: // rejoin has ended it
	}
	return nil
}

// rejoin ends the isolation of the node, if it is isolated.
func (c *Cluster) rejoin(ctx context.Context, m *member) error {
	i := m.node.index
	if !m.isolated {
		return nil
	}
	if err := c.inject(i, journal.Ends, fault.KindIsolate, func() error { return c.cluster.Rejoin(ctx, i) }); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m.isolated = false
	return nil
}

// replaceDisk starts the node again as a new member, on an empty, healthy disk.
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
		if err := c.inject(i, journal.Begins, fault.KindCrash, func() error { return starter.Crash(ctx, i) }); err != nil {
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
	event := c.recordFault(journal.Ends, fault.Fault{Kind: fault.KindWipe, Node: i}, "")
	if err := membership.Replace(ctx, i); err != nil {
		event.end(err, nil, nil)
		return err
	}
	event.end(nil, nil, func(a aspect) bool { return a.node == i && a.what != aboutClock })
	return nil
}
