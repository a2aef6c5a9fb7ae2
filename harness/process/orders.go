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

// untold is what somebody has not been told yet. Of links, disk and clock it is
// only which; what they are to be is looked up when it is told, so that it is
// always the latest.
type untold struct {
	hosts  []child.Host
	links  map[network.Link]bool
	resets []network.Link
	disk   bool
	clock  bool
}

// link notes that the link's rule is new, which also ends a reset that it is armed for.
func (u *untold) link(l network.Link) {
	u.resets = slices.DeleteFunc(u.resets, func(w network.Link) bool { return w == l })
	u.note(l)
}

func (u *untold) note(l network.Link) {
	if u.links == nil {
		u.links = make(map[network.Link]bool)
	}
	u.links[l] = true
}

func (u *untold) empty() bool {
	return len(u.hosts) == 0 && len(u.links) == 0 && len(u.resets) == 0 && !u.disk && !u.clock
}

// take takes all of it out.
func (u *untold) take() untold {
	taken := *u
	*u = untold{}
	return taken
}

// putBack puts in again what could not be told.
func (u *untold) putBack(taken untold) {
	u.hosts = append(taken.hosts, u.hosts...)
	for _, w := range taken.resets {
		if !u.links[w] { // or else it was ruled anew since
			u.resets = append(u.resets, w)
		}
	}
	for l := range taken.links {
		u.note(l)
	}
	u.disk = u.disk || taken.disk
	u.clock = u.clock || taken.clock
}

func (u untold) changes(w *linkstate.Links) []child.LinkRule {
	var links []child.LinkRule
	for l := range u.links {
		links = append(links, child.LinkRule{Link: l, Rule: w.Effective(l)})
	}
	return links
}

// ordersLocked are what was taken out, as orders.
func (n *node) ordersLocked(taken untold) child.Orders {
	orders := child.Orders{Hosts: taken.hosts, Resets: taken.resets, Links: taken.changes(n.cluster.links)}
	if taken.disk {
		orders.Disk = &n.faults
	}
	if taken.clock {
		orders.Ahead = &n.ahead
	}
	return orders
}

// allOrdersLocked are those for a new life, which knows nothing.
func (n *node) allOrdersLocked() child.Orders {
	all := untold{resets: n.untold.take().resets, disk: true, clock: true}
	for _, other := range n.cluster.allLocked() {
		if other != n && !other.removed {
			all.hosts = append(all.hosts, other.host())
		}
	}
	for _, change := range n.cluster.links.Of(n.id) {
		if change.From != clientsName && change.To != clientsName {
			all.link(change.Link)
		}
	}
	return n.ordersLocked(all)
}

// tellTimeout bounds how long a process may take to follow orders: one that runs
// needs a millisecond.
const tellTimeout = 10 * time.Second

var errTellTimeout = fmt.Errorf("its process did not follow within %v", tellTimeout)

func (n *node) unheard() *untold { return &n.untold }

func (n *node) tell(ctx context.Context) error {
	if err := n.changing.Lock(ctx); err != nil {
		return fmt.Errorf("wait for what is done to node %s: %w", n.id, err)
	}
	defer n.changing.Unlock()
	n.cluster.mu.Lock()
	// Who cannot hear is told when it can.
	nothing := n.state != running || n.untold.empty()
	n.cluster.mu.Unlock()
	if nothing {
		return nil
	}
	return n.tellInTurn(ctx)
}

// tellInTurn tells a running node, even if there is nothing to say: its answer
// shows that it runs.
func (n *node) tellInTurn(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, tellTimeout, errTellTimeout)
	defer cancel()
	c := n.cluster
	c.mu.Lock()
	life, taken := n.life, n.untold.take()
	orders := n.ordersLocked(taken)
	c.mu.Unlock()
	err := life.control.Tell(ctx, orders)
	if err == nil {
		return nil
	}
	c.mu.Lock()
	n.untold.putBack(taken)
	c.mu.Unlock()
	if ctx.Err() != nil {
		return fmt.Errorf("tell node %s about its links, disk and clock: %w", n.id, context.Cause(ctx))
	}
	if _, refused := errors.AsType[*child.RefusedError](err); !refused && life.hasEnded(ctx) {
		return nil // it will be told in its next life
	}
	return err
}
