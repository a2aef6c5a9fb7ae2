package inprocess

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/linkstate"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Isolate surrounds the node with silence, as a network that loses everything;
// its clients are refused at once, so that none of them hangs.
func (c *Cluster) Isolate(_ context.Context, node int) error { return c.setIsolated(node, true) }

// Rejoin mends the node's links, but for those to nodes that are isolated
// themselves, and for what the rules of single links say.
func (c *Cluster) Rejoin(_ context.Context, node int) error { return c.setIsolated(node, false) }

func (c *Cluster) setIsolated(node int, isolated bool) error {
	return c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) { return w.SetIsolated(c.host(node), isolated) })
}

// SetLink is in effect when it returns.
func (c *Cluster) SetLink(_ context.Context, from, to int, rule fault.Rule) error {
	return c.rewire(func(w *linkstate.Links) ([]linkstate.Change, error) { return w.SetRule(c.host(from), c.host(to), rule) })
}

// ResetLink lets the next message over the link break off in its middle.
func (c *Cluster) ResetLink(_ context.Context, from, to int) error {
	return c.network.ResetLink(c.host(from), c.host(to))
}

// LinkStats counts since the cluster was booted.
func (c *Cluster) LinkStats(_ context.Context, from, to int) (fault.LinkStats, error) {
	return c.network.Stats(c.host(from), c.host(to))
}

// Link asks the network.
func (c *Cluster) Link(_ context.Context, from, to int) (link target.LinkState, err error) {
	if link.Rule, err = c.network.Rule(c.host(from), c.host(to)); err != nil {
		return link, err
	}
	link.Reset, err = c.network.Armed(c.host(from), c.host(to))
	return link, err
}

// host is the name of a node's place, or of the clients'.
func (c *Cluster) host(node int) string {
	if node == fault.Clients {
		return ClientHost
	}
	return c.node(node).place().Name()
}

// rewire changes what is wanted of the links, and makes it so.
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
