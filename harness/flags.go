package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// flag is what the harness wants of a node. The zero flag is online. In a transition (going
// offline, coming online, being removed) only the call that began it may change the flag, and
// nothing is routed to the node.
type flag int

const (
	online flag = iota
	goingOffline
	offline
	comingOnline
	beingRemoved
	removed
)

// IsNodeOnline returns whether the node's flag is up. It does not ask the node.
func (c *Cluster) IsNodeOnline(i int) (bool, error) {
	if _, err := c.Node(i); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].flag == online, nil
}

// Lost returns the failure mode of a node that was taken offline; false for a node that is
// not offline.
func (c *Cluster) Lost(i int) (fault.Mode, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || i < 0 || i >= len(c.members) || c.members[i].flag != offline {
		return "", false
	}
	return c.members[i].mode, true
}

// TakeNodeOffline takes the node's flag down, and then makes the node fail in a mode. The mode
// is optional: the default is fault.Isolate, and more than one is an error. From then on
// nothing is routed to the node. It blocks until the fault is in effect. The error wraps
// ErrAlreadyOffline if the node is not online, and is an *UnsupportedError, with nothing
// changed, if the target lacks the mode. If the fault fails the flag goes up again, and the
// fault may have been made in part.
func (c *Cluster) TakeNodeOffline(ctx context.Context, i int, mode ...fault.Mode) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	node, err := c.Node(i)
	if err != nil {
		return err
	}
	lost, err := oneMode(mode)
	end := c.beginFlag(i, journal.FlagChange{Online: false, Mode: lost})
	if err == nil {
		err = c.takeOffline(ctx, node, lost)
	}
	if err != nil {
		err = node.failed("take offline", err)
	}
	end(err)
	c.measureAfter(ctx, err)
	return err
}

func (c *Cluster) takeOffline(ctx context.Context, node *Node, mode fault.Mode) error {
	fail, err := c.failing(mode)
	if err != nil {
		return err
	}
	return c.change(node.index, online, goingOffline, offline, func(m *member) error {
		if mode == fault.Stop || mode == fault.Crash {
			node.remember(ctx)
		}
		if err := c.inject(node.index, journal.Begins, fault.Kind(mode), func() error { return fail(ctx, node.index) }); err != nil {
			return err
		}
		c.schema.forget(node.index)
		c.mu.Lock()
		defer c.mu.Unlock()
		m.mode, m.isolated = mode, mode == fault.Isolate
		return nil
	})
}

// ReturnOption changes how a node comes back.
type ReturnOption string

// Wiped brings a node back on an empty, healthy disk, as a new member of the cluster. A node
// that still runs, isolated or paused, is crashed first.
const Wiped ReturnOption = "wiped"

// BringNodeOnline undoes the fault that made the node fail, whatever its mode, and then puts
// the flag up. The node keeps its disk, unless it comes back Wiped. It does not wait for
// catch-up (use WaitForNodeOnline), except with Wiped: a new member is added once it has caught
// up. The error wraps ErrAlreadyOnline if the node is not offline, and is an *UnsupportedError,
// with nothing changed, if the target cannot. If it fails otherwise the flag stays down, and
// the call can be repeated.
func (c *Cluster) BringNodeOnline(ctx context.Context, i int, options ...ReturnOption) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	node, err := c.Node(i)
	if err != nil {
		return err
	}
	lost, _ := c.Lost(i)
	change, wiped := journal.FlagChange{Online: true, Mode: lost}, false
	for _, option := range options {
		wiped = option == Wiped
		change.Wiped = wiped
		if !wiped {
			err = fmt.Errorf("unknown option %q: a node can come back %s", string(option), Wiped)
		}
	}
	end := c.beginFlag(i, change)
	if err == nil {
		err = c.change(i, offline, comingOnline, online, func(m *member) error {
			if wiped {
				return c.replaceDisk(ctx, m)
			}
			return c.restore(ctx, m)
		})
	}
	if err != nil {
		err = node.failed("bring online", err)
	}
	end(err)
	c.measureAfter(ctx, err)
	return err
}

// change moves a flag through a transition, and does the work in it.
func (c *Cluster) change(i int, from, between, to flag, work func(*member) error) error {
	if err := c.move(i, from, between); err != nil {
		return err
	}
	c.mu.Lock()
	m := c.members[i]
	c.mu.Unlock()
	err := work(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		m.flag = from
		m.turns++
		if errors.Is(err, ErrUnsupported) { // nothing was done
			return err
		}
		return fmt.Errorf("%w; its flag still says %s", err, from)
	}
	m.flag = to
	m.turns++
	return nil
}

func (c *Cluster) move(i int, from, to flag) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.members[i]
	switch {
	case m.flag == from:
		m.flag = to
		m.turns++
		return nil
	case m.flag == removed:
		return m.removed()
	case m.flag == beingRemoved:
		return ErrBeingRemoved
	case from == online:
		return fmt.Errorf("the node is %w", ErrAlreadyOffline)
	}
	return fmt.Errorf("the node is %w", ErrAlreadyOnline)
}

// String is the flag, or where a transition began.
func (f flag) String() string {
	switch f {
	case online, goingOffline:
		return "online"
	case offline, comingOnline:
		return "offline"
	case beingRemoved, removed:
	}
	return "removed"
}

// OnlineNodes returns the nodes whose flag is up, in order.
func (c *Cluster) OnlineNodes() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodesLocked(func(m *member) bool { return m.flag == online })
}

// pick chooses one online node at random: one that has not been tried, if any is left.
func (c *Cluster) pick(ctx context.Context, tried map[int]bool) (*Node, error) {
	c.mu.Lock()
	nodes := c.nodesLocked(func(m *member) bool { return m.flag == online })
	if fresh := slices.DeleteFunc(slices.Clone(nodes), func(n *Node) bool { return tried[n.index] }); len(fresh) > 0 {
		nodes = fresh
	}
	c.mu.Unlock()
	return c.router.One(ctx, nodes)
}
