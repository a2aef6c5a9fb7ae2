package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// flag is what the harness wants of a node. The zero flag is online. Between two
// that rest lies the time in which something is done to the node; nobody else may
// change the flag then, and nothing is routed to the node.
type flag int

const (
	online flag = iota
	goingOffline
	offline
	comingOnline
	beingRemoved
	removed
)

// IsNodeOnline reads the node's flag. It does not ask the node.
func (c *Cluster) IsNodeOnline(i int) (bool, error) {
	if _, err := c.Node(i); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].flag == online, nil
}

// Lost tells in which way a node is lost that was taken offline. It is false for
// a node that is not offline.
func (c *Cluster) Lost(i int) (fault.Mode, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || i < 0 || i >= len(c.members) || c.members[i].flag != offline {
		return "", false
	}
	return c.members[i].mode, true
}

// TakeNodeOffline takes the flag down, and then loses the node in one way:
// Isolate unless said. Nothing is routed to it any more. It returns when the
// fault is in effect. Taking a node offline that is not online is
// ErrAlreadyOffline. What the target cannot do is an *UnsupportedError, and
// nothing has changed. If the fault fails, the flag goes up again; whatever it
// did until then has then been done.
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
	injure, err := c.injure(mode)
	if err != nil {
		return err
	}
	return c.change(node.index, online, goingOffline, offline, func(m *member) error {
		if mode == fault.Stop || mode == fault.Crash {
			node.remember(ctx)
		}
		if err := c.inject(node.index, journal.Begins, fault.Kind(mode), func() error { return injure(ctx, node.index) }); err != nil {
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

// Wiped lets a node come back on an empty and sound disk, as a new member of the
// cluster. A node that still runs, isolated or paused, is crashed for it first.
const Wiped ReturnOption = "wiped"

// BringNodeOnline undoes what was done to the node, whichever way it was lost,
// and then puts the flag up. What the node has on its disk is kept, unless it
// comes back Wiped. That it has caught up, WaitForNodeOnline tells; only for a
// node that is Wiped, which must catch up to be taken in, BringNodeOnline blocks
// until then. Bringing back a node that is not offline is ErrAlreadyOnline. What
// the target cannot do is an *UnsupportedError, and nothing has changed. If it
// fails otherwise the flag stays down, and it can be tried again.
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
			err = fmt.Errorf("no node comes back %q: it can be %s", string(option), Wiped)
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

// change moves a flag from one rest to the other, with the work between.
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

// String is the flag as it rests, or the rest that it moves from.
func (f flag) String() string {
	switch f {
	case online, goingOffline:
		return "online"
	case offline, comingOnline:
		return "offline"
	}
	return "removed"
}

// OnlineNodes are the nodes whose flag is up, in order.
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
