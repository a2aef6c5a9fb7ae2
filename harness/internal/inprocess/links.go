package inprocess

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Isolate makes the network drop all messages between the node and others. Its clients are refused immediately, so that
// none of them hangs.
func (c *Cluster) Isolate(_ context.Context, node int) error { return c.setIsolated(node, true) }

// Rejoin ends the isolation of the node. Links to nodes that are still isolated stay cut, and rules of single links apply
// again.
func (c *Cluster) Rejoin(_ context.Context, node int) error { return c.setIsolated(node, false) }

func (c *Cluster) setIsolated(node int, isolated bool) error {
	return c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) { return w.SetIsolated(c.host(node), isolated) })
}

// SetLink sets the rule of a link. It is in effect when SetLink returns.
func (c *Cluster) SetLink(_ context.Context, from, to int, rule fault.Rule) error {
	return c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) { return w.SetRule(c.host(from), c.host(to), rule) })
}

// ResetLink makes the next message over the link break off in the middle.
func (c *Cluster) ResetLink(_ context.Context, from, to int) error {
	return c.network.ResetLink(c.host(from), c.host(to))
}

// LinkStats returns the counters of a link since the cluster was booted.
func (c *Cluster) LinkStats(_ context.Context, from, to int) (fault.LinkStats, error) {
	return c.network.Stats(c.host(from), c.host(to))
}

// Link returns the state of a link.
func (c *Cluster) Link(_ context.Context, from, to int) (link target.LinkState, err error) {
	if link.Rule, err = c.network.Rule(c.host(from), c.host(to)); err != nil {
		return link, err
	}
	link.Reset, err = c.network.Armed(c.host(from), c.host(to))
	return link, err
}

// host returns the host name of a node or of the clients.
func (c *Cluster) host(node int) string {
	if node == fault.Clients {
		return ClientHost
	}
	return c.node(node).place().Name()
}

// rewire changes the state of links, and applies the changes to the network.
func (c *Cluster) rewire(change func(*linkstate.Links) ([]linkstate.Change, error)) error {
	c.wires.Lock()
	defer c.wires.Unlock()
	changes, err := change(c.links)
	if err != nil {
		return err
	}
	for _, link := range changes {
		if err := c.network.SetRule(link.From, link.To, link.Rule); err != nil {
			return err
		}
	}
	return nil
}
