package proc

import (
	"context"
	"errors"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Isolate drops all packets between the node and others, and resets the connections of its clients.
func (c *cluster) Isolate(ctx context.Context, node int) error { return c.isolate(ctx, node, true) }

// Rejoin ends the isolation of the node.
func (c *cluster) Rejoin(ctx context.Context, node int) error { return c.isolate(ctx, node, false) }

func (c *cluster) isolate(ctx context.Context, node int, isolated bool) error {
	n, err := c.node(node)
	if err != nil {
		return err
	}
	return c.rewire(ctx, func() ([]linkstate.Change, error) { return c.links.SetIsolated(n.id, isolated) })
}

// rewire changes links.
func (c *cluster) rewire(ctx context.Context, change func() ([]linkstate.Change, error)) error {
	if err := c.wiring.Lock(ctx); err != nil {
		return err
	}
	defer c.wiring.Unlock()
	changes, err := change()
	errs := []error{err}
	for _, link := range changes {
		errs = append(errs, c.network.SetRule(link.From, link.To, link.Rule))
	}
	return errors.Join(errs...)
}

// ends are the names of the hosts at the ends of a link.
func (c *cluster) ends(from, to int) (a, b string, err error) {
	if a, err = c.hostName(from); err != nil {
		return "", "", err
	}
	b, err = c.hostName(to)
	return a, b, err
}

// SetLink sets the rule of a link, whose messages are packets.
func (c *cluster) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	a, b, err := c.ends(from, to)
	if err != nil {
		return err
	}
	return c.rewire(ctx, func() ([]linkstate.Change, error) { return c.links.SetRule(a, b, rule) })
}

// ResetLink cuts the next packet with content in half, and resets its connection.
func (c *cluster) ResetLink(_ context.Context, from, to int) error {
	a, b, err := c.ends(from, to)
	if err != nil {
		return err
	}
	return c.network.ResetLink(a, b)
}

// LinkStats counts the packets of a link.
func (c *cluster) LinkStats(_ context.Context, from, to int) (fault.LinkStats, error) {
	a, b, err := c.ends(from, to)
	if err != nil {
		return fault.LinkStats{}, err
	}
	return c.network.Stats(a, b)
}

// Link is the rule of a link, as the network has it.
func (c *cluster) Link(_ context.Context, from, to int) (target.LinkState, error) {
	a, b, err := c.ends(from, to)
	if err != nil {
		return target.LinkState{}, err
	}
	rule, err := c.network.Rule(a, b)
	if err != nil {
		return target.LinkState{}, err
	}
	armed, err := c.network.Armed(a, b)
	return target.LinkState{Rule: rule, Reset: armed}, err
}

// Disk is the faults of a node's disk, as its host has them.
func (c *cluster) Disk(_ context.Context, node int) (fault.Disk, error) {
	n, err := c.node(node)
	if err != nil {
		return fault.Disk{}, err
	}
	return n.host.Disk(), nil
}

// Clock is how far a node's clock was set ahead.
func (c *cluster) Clock(_ context.Context, node int) (time.Duration, error) {
	n, err := c.node(node)
	if err != nil {
		return 0, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return n.ahead, nil
}
