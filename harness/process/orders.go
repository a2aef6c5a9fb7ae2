package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/process/child"
)

// pending are changes that an end has not applied yet. For links, disk and clock it records only that they changed. The
// values are read when the orders are made, so that they are always the latest.
type pending struct {
	hosts  []child.Host
	links  map[network.Link]bool
	resets []network.Link
	disk   bool
	clock  bool
}

// link records a new rule of the link, which also cancels a reset.
func (p *pending) link(l network.Link) {
	p.resets = slices.DeleteFunc(p.resets, func(w network.Link) bool { return w == l })
	p.note(l)
}

func (p *pending) note(l network.Link) {
	if p.links == nil {
		p.links = make(map[network.Link]bool)
	}
	p.links[l] = true
}

func (p *pending) empty() bool {
	return len(p.hosts) == 0 && len(p.links) == 0 && len(p.resets) == 0 && !p.disk && !p.clock
}

// take removes and returns all changes.
func (p *pending) take() pending {
	taken := *p
	*p = pending{}
	return taken
}

// putBack restores changes that could not be sent.
func (p *pending) putBack(taken pending) {
	p.hosts = append(taken.hosts, p.hosts...)
	for _, w := range taken.resets {
		if !p.links[w] { // a newer rule cancels the reset
			p.resets = append(p.resets, w)
		}
	}
	for l := range taken.links {
		p.note(l)
	}
	p.disk = p.disk || taken.disk
	p.clock = p.clock || taken.clock
}

func (p pending) changes(w *linkstate.Links) []child.LinkRule {
	var links []child.LinkRule
	for l := range p.links {
		links = append(links, child.LinkRule{Link: l, Rule: w.Effective(l)})
	}
	return links
}

// ordersLocked converts changes that were taken to orders.
func (n *node) ordersLocked(taken pending) child.Orders {
	orders := child.Orders{Hosts: taken.hosts, Resets: taken.resets, Links: taken.changes(n.cluster.links)}
	if taken.disk {
		orders.Disk = &n.faults
	}
	if taken.clock {
		orders.Ahead = &n.ahead
	}
	return orders
}

// allOrdersLocked returns the orders for a new life, which knows nothing.
func (n *node) allOrdersLocked() child.Orders {
	all := pending{resets: n.pending.take().resets, disk: n.home.disk() == nil, clock: true}
	for _, other := range n.cluster.allLocked() {
		if other != n && !other.removed {
			all.hosts = append(all.hosts, other.host())
		}
	}
	for _, change := range n.cluster.links.Of(n.id) {
		if !n.cluster.place.alone(change.Link) {
			all.link(change.Link)
		}
	}
	return n.ordersLocked(all)
}

// tellTimeout is how long a process may take to follow orders. It normally takes a millisecond.
const tellTimeout = 10 * time.Second

var errTellTimeout = fmt.Errorf("its process did not follow within %v", tellTimeout)

func (n *node) pendingLocked() *pending { return &n.pending }

func (n *node) tell(ctx context.Context) error {
	if err := n.changing.Lock(ctx); err != nil {
		return fmt.Errorf("wait for another operation on node %s: %w", n.id, err)
	}
	defer n.changing.Unlock()
	n.cluster.mu.Lock()
	// A node that is not running receives its orders when it runs again.
	nothing := n.state != running || n.pending.empty()
	n.cluster.mu.Unlock()
	if nothing {
		return nil
	}
	return n.deliver(ctx)
}

// deliver sends the pending changes to a running node, even if there are none: the answer shows that it runs. Callers must
// hold n.changing.
func (n *node) deliver(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, tellTimeout, errTellTimeout)
	defer cancel()
	c := n.cluster
	c.mu.Lock()
	life, taken := n.life, n.pending.take()
	orders := n.ordersLocked(taken)
	c.mu.Unlock()
	err := life.control.Tell(ctx, orders)
	if err == nil {
		return nil
	}
	c.mu.Lock()
	n.pending.putBack(taken)
	c.mu.Unlock()
	if ctx.Err() != nil {
		return fmt.Errorf("tell node %s about its links, disk and clock: %w", n.id, context.Cause(ctx))
	}
	if _, refused := errors.AsType[*child.RefusedError](err); !refused && life.hasEnded(ctx) {
		return nil // its next life gets them
	}
	return err
}
