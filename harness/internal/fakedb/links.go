package fakedb

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// SetLink replaces the rule of a link.
func (c *Cluster) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	if err := rule.Validate(); err != nil {
		return fmt.Errorf("set the link %d->%d: %w", from, to, err)
	}
	return c.link(ctx, from, to, func(l *linkState) { l.rule = rule })
}

// ResetLink resets the connection of the next message.
func (c *Cluster) ResetLink(ctx context.Context, from, to int) error {
	return c.link(ctx, from, to, func(l *linkState) { l.reset = true })
}

// LinkStats counts the messages of a link.
func (c *Cluster) LinkStats(ctx context.Context, from, to int) (stats fault.LinkStats, err error) {
	err = c.link(ctx, from, to, func(l *linkState) { stats = l.stats })
	return stats, err
}

// Link is the state of a link.
func (c *Cluster) Link(ctx context.Context, from, to int) (state target.LinkState, err error) {
	err = c.link(ctx, from, to, func(l *linkState) {
		state = target.LinkState{Rule: l.rule, Reset: l.reset}
		if c.isolatedLocked(from) || c.isolatedLocked(to) {
			state.Rule.Action = fault.Drop
		}
	})
	return state, err
}

func (c *Cluster) link(ctx context.Context, from, to int, do func(*linkState)) error {
	if from == to {
		return fmt.Errorf("the link %d->%d: it has one end", from, to)
	}
	for _, end := range []int{from, to} {
		if end == fault.Clients {
			continue
		}
		_, leave, err := c.at(ctx, end, "find the link of")
		if err != nil {
			return err
		}
		leave()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	do(c.linkLocked(from, to))
	c.settleLocked()
	return nil
}

func (c *Cluster) linkLocked(from, to int) *linkState {
	l := c.links[link{from, to}]
	if l == nil {
		l = &linkState{}
		c.links[link{from, to}] = l
	}
	return l
}

func (c *Cluster) isolatedLocked(end int) bool { return end != fault.Clients && c.nodes[end].isolated }

// cutLocked tells whether a link delivers nothing.
func (c *Cluster) cutLocked(from, to int) bool {
	return c.isolatedLocked(from) || c.isolatedLocked(to) || c.linkLocked(from, to).rule.Action != fault.Pass
}

// connectedLocked tells whether two nodes hear each other.
func (c *Cluster) connectedLocked(a, b int) bool {
	return a == b || !c.cutLocked(a, b) && !c.cutLocked(b, a)
}

// countLocked counts a message to another node, and the answer.
func (c *Cluster) countLocked(from, to int) {
	if from == to {
		return
	}
	for _, l := range []*linkState{c.linkLocked(from, to), c.linkLocked(to, from)} {
		l.stats.Messages++
		l.stats.Bytes += 100
		if l.reset {
			l.reset = false
			l.stats.Resets++
		}
	}
}

// carry carries a message between the clients and a node. A message that is dropped blocks until ctx ends.
func (c *Cluster) carry(ctx context.Context, from, to int) error {
	c.mu.Lock()
	l := c.linkLocked(from, to)
	rule, isolated := l.rule, c.isolatedLocked(from) || c.isolatedLocked(to)
	reset := l.reset && rule.Action == fault.Pass && !isolated
	switch {
	case reset:
		l.reset = false
		l.stats.Resets++
	case rule.Action == fault.Pass && !isolated:
		l.stats.Messages++
		l.stats.Bytes += 100
	}
	c.mu.Unlock()
	switch {
	case isolated || reset || rule.Action == fault.Refuse:
		return &target.Error{Message: "connection reset", Outcome: target.NotApplied, Kind: target.ErrUnreachable}
	case rule.Action == fault.Drop:
		<-ctx.Done()
		return context.Cause(ctx)
	case rule.Latency > 0:
		timer := time.NewTimer(rule.Latency)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
