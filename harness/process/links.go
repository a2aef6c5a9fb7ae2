package process

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Isolate drops all messages between the node and others. Its clients are refused immediately, so that none of them
// hangs.
func (c *Cluster) Isolate(ctx context.Context, node int) error {
	return c.setIsolated(ctx, node, true)
}

// Rejoin ends the isolation of the node. Links to nodes that are still isolated stay cut, and rules of single links apply
// again.
func (c *Cluster) Rejoin(ctx context.Context, node int) error {
	return c.setIsolated(ctx, node, false)
}

func (c *Cluster) setIsolated(ctx context.Context, node int, isolated bool) error {
	n, err := c.node(node)
	if err != nil {
		return err
	}
	return c.rewire(ctx, func() ([]end, []linkstate.Change, error) {
		changes, err := c.links.SetIsolated(n.id, isolated)
		return c.allEndsLocked(), changes, err
	})
}

// SetLink sets the rule of a link. Both ends apply it to the connections that they dial: each draws its own losses and
// has its own share of the bandwidth.
func (c *Cluster) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	link, err := c.link(from, to)
	if err != nil {
		return err
	}
	return c.rewire(ctx, func() ([]end, []linkstate.Change, error) {
		changes, err := c.links.SetRule(link.From, link.To, rule)
		return c.endsLocked(link), changes, err
	})
}

// ResetLink makes the next message break off in the middle: the next one over a connection dialed by one end, and the
// next one over a connection dialed by the other, because the processes do not coordinate.
func (c *Cluster) ResetLink(ctx context.Context, from, to int) error {
	link, err := c.link(from, to)
	if err != nil {
		return err
	}
	if from == to {
		return fmt.Errorf("reset the link from %s to %s: a host always reaches itself", link.From, link.To)
	}
	c.mu.Lock()
	ends := c.endsLocked(link)
	for _, e := range ends {
		p := e.pendingLocked()
		p.resets = append(p.resets, link)
	}
	c.mu.Unlock()
	return c.tell(ctx, ends)
}

// LinkStats adds the counters of both ends, each for the connections that it has dialed since it was started. An end that
// is down counts zero.
func (c *Cluster) LinkStats(ctx context.Context, from, to int) (stats fault.LinkStats, err error) {
	link, err := c.link(from, to)
	if err != nil {
		return stats, err
	}
	c.mu.Lock()
	ends := c.endsLocked(link)
	c.mu.Unlock()
	for _, e := range ends {
		counted, err := e.stats(ctx, link)
		if err != nil {
			return stats, err
		}
		stats = stats.Plus(counted)
	}
	return stats, nil
}

func (c *Cluster) link(from, to int) (link network.Link, err error) {
	if link.From, err = c.hostName(from); err != nil {
		return link, err
	}
	link.To, err = c.hostName(to)
	return link, err
}

func (c *Cluster) hostName(i int) (string, error) {
	if i == fault.Clients {
		return clientsName, nil
	}
	n, err := c.node(i)
	if err != nil {
		return "", err
	}
	return n.id, nil
}

// rewire changes the links, and returns when all affected ends have applied the change, and all earlier ones.
func (c *Cluster) rewire(ctx context.Context, change func() (affected []end, changes []linkstate.Change, err error)) error {
	c.mu.Lock()
	affected, changes, err := change()
	c.noteLocked(changes)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.tell(ctx, affected)
}

// noteLocked queues changes for the ends of links.
func (c *Cluster) noteLocked(changes []linkstate.Change) {
	for _, change := range changes {
		for _, e := range c.endsLocked(change.Link) {
			e.pendingLocked().link(change.Link)
		}
	}
}

// endsLocked returns the ends that apply the rule of a link.
func (c *Cluster) endsLocked(link network.Link) []end {
	if c.place.alone(link) {
		return []end{c.here}
	}
	var ends []end
	for _, n := range c.allLocked() {
		if n.id == link.From || n.id == link.To {
			ends = append(ends, n)
		}
	}
	return ends
}

// allEndsLocked returns all ends.
func (c *Cluster) allEndsLocked() []end {
	ends := []end{c.here}
	for _, n := range c.allLocked() {
		ends = append(ends, n)
	}
	return ends
}

// end is a process that applies rules of links: that of a node, or this one.
type end interface {
	// pendingLocked returns the changes that it has not applied yet. Callers must hold the cluster's mu.
	pendingLocked() *pending
	// tell sends it the pending changes, and returns when they are in effect.
	tell(ctx context.Context) error
	// stats returns its counters for a link.
	stats(ctx context.Context, link network.Link) (fault.LinkStats, error)
	// survey returns its state of a link; runs is false if it is down.
	survey(ctx context.Context, link network.Link) (found target.LinkState, runs bool, err error)
}

// tell calls tell on all of the ends concurrently.
func (c *Cluster) tell(ctx context.Context, ends []end) error {
	ctx, cancel := c.life.Bound(ctx)
	defer cancel()
	errs := make([]error, len(ends))
	var wg sync.WaitGroup
	for i, e := range ends {
		wg.Go(func() { errs[i] = e.tell(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// here is the end in this process.
type here struct {
	cluster  *Cluster
	changing ctxmutex.Mutex
	pending  pending // guarded by the cluster's mu
}

func (h *here) pendingLocked() *pending { return &h.pending }

func (h *here) stats(_ context.Context, link network.Link) (fault.LinkStats, error) {
	return h.cluster.place.Stats(link.From, link.To)
}

func (n *node) stats(ctx context.Context, link network.Link) (fault.LinkStats, error) {
	life, err := n.running()
	if err != nil {
		return fault.LinkStats{}, nil // it is down
	}
	return life.control.Stats(ctx, link)
}

func (h *here) tell(ctx context.Context) error {
	if err := h.changing.Lock(ctx); err != nil {
		return err
	}
	defer h.changing.Unlock()
	h.cluster.mu.Lock()
	taken := h.pending.take()
	changes := taken.changes(h.cluster.links)
	h.cluster.mu.Unlock()
	var errs []error
	for _, link := range changes {
		errs = append(errs, h.cluster.place.SetRule(link.From, link.To, link.Rule))
	}
	for _, link := range taken.resets {
		errs = append(errs, h.cluster.place.ResetLink(link.From, link.To))
	}
	return errors.Join(errs...)
}
