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

// Isolate surrounds the node with silence, as a network that loses everything;
// its clients are refused at once, so that none of them hangs.
func (c *Cluster) Isolate(ctx context.Context, node int) error {
	return c.setIsolated(ctx, node, true)
}

// Rejoin gives the node's links back to their rules, but for those to nodes that
// are isolated themselves.
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
		return c.everybodyLocked(), changes, err
	})
}

// SetLink has the rule carried out by both ends, each for the connections that
// it has dialed: they draw what is lost, and share out the bandwidth, each for
// itself.
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

// ResetLink cuts in half the next message over a connection that one end has
// dialed, and the next over one that the other end has dialed: neither process
// knows of the other's.
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
		u := e.unheard()
		u.resets = append(u.resets, link)
	}
	c.mu.Unlock()
	return c.tell(ctx, ends)
}

// LinkStats adds up what both ends count, each for the connections it has dialed,
// since it was started. An end that does not run counts nothing.
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

// rewire changes the links, and returns when everybody concerned has heard of
// it, also of what others are about to tell them.
func (c *Cluster) rewire(ctx context.Context, change func() (concerned []end, changes []linkstate.Change, err error)) error {
	c.mu.Lock()
	concerned, changes, err := change()
	c.noteLocked(changes)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.tell(ctx, concerned)
}

// noteLocked notes what the ends of links have still to be told.
func (c *Cluster) noteLocked(changes []linkstate.Change) {
	for _, change := range changes {
		for _, e := range c.endsLocked(change.Link) {
			e.unheard().link(change.Link)
		}
	}
}

// endsLocked are those who rule a link: where one end is the clients', they alone.
func (c *Cluster) endsLocked(link network.Link) []end {
	if link.From == clientsName || link.To == clientsName {
		return []end{c.clients}
	}
	var ends []end
	for _, n := range c.allLocked() {
		if n.id == link.From || n.id == link.To {
			ends = append(ends, n)
		}
	}
	return ends
}

// everybodyLocked is everybody who rules links.
func (c *Cluster) everybodyLocked() []end {
	ends := []end{c.clients}
	for _, n := range c.allLocked() {
		ends = append(ends, n)
	}
	return ends
}

// end is one end of links, which can be told what to do with them.
type end interface {
	// unheard is what it has still to be told, guarded by the cluster's mu.
	unheard() *untold
	// tell tells it all of that, and returns when it is in force.
	tell(ctx context.Context) error
	// stats is what a link of its has done.
	stats(ctx context.Context, link network.Link) (fault.LinkStats, error)
	// survey is what a link of its is, if it runs.
	survey(ctx context.Context, link network.Link) (found target.LinkState, runs bool, err error)
}

// tell tells all of them at once.
func (c *Cluster) tell(ctx context.Context, ends []end) error {
	ctx, cancel := c.bound(ctx)
	defer cancel()
	errs := make([]error, len(ends))
	var wg sync.WaitGroup
	for i, e := range ends {
		wg.Go(func() { errs[i] = e.tell(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// clients are the place of the applications, in this process.
type clients struct {
	cluster  *Cluster
	host     *network.Host
	changing ctxmutex.Mutex
	untold   untold // guarded by the cluster's mu
}

func (c *clients) unheard() *untold { return &c.untold }

func (c *clients) stats(_ context.Context, link network.Link) (fault.LinkStats, error) {
	return c.cluster.network.Stats(link.From, link.To)
}

func (n *node) stats(ctx context.Context, link network.Link) (fault.LinkStats, error) {
	life, err := n.running()
	if err != nil {
		return fault.LinkStats{}, nil // it counts nothing
	}
	return life.control.Stats(ctx, link)
}

func (c *clients) tell(ctx context.Context) error {
	if err := c.changing.Lock(ctx); err != nil {
		return err
	}
	defer c.changing.Unlock()
	c.cluster.mu.Lock()
	taken := c.untold.take()
	changes := taken.changes(c.cluster.links)
	c.cluster.mu.Unlock()
	var errs []error
	for _, link := range changes {
		errs = append(errs, c.cluster.network.SetRule(link.From, link.To, link.Rule))
	}
	for _, link := range taken.resets {
		errs = append(errs, c.cluster.network.ResetLink(link.From, link.To))
	}
	return errors.Join(errs...)
}
