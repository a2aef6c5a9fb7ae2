package network

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Cut sets the action of the link from one host to another. The rest of its rule and the opposite
// link do not change. The cut is in effect when Cut returns. A cut from a host to itself has no
// effect. Cut returns an error for an unknown action or host, or if the network is closed.
func (n *Network) Cut(action fault.Action, from, to string) error {
	l, err := n.linkNamed(from, to)
	if err == nil {
		err = fault.Rule{Action: action}.Validate()
	}
	if err != nil {
		return fmt.Errorf("cut the link from %s to %s: %w", from, to, err)
	}
	if from != to {
		n.change(l, func(r *fault.Rule) { r.Action = action })
	}
	return nil
}

// Mend sets the action of the link to Pass. Held data is delivered; the rest of the rule stays.
func (n *Network) Mend(from, to string) error {
	return n.Cut(fault.Pass, from, to)
}

// MendAll gives every link the zero Rule, so that held or delayed data is delivered at once, and
// cancels pending ResetLink calls. The delay of the whole network stays, and so do crashed hosts.
func (n *Network) MendAll() {
	n.mu.Lock()
	links := make([]*link, 0, len(n.links))
	for _, l := range n.links {
		links = append(links, l)
	}
	n.mu.Unlock()
	for _, l := range links {
		l.sever.Store(false)
		l.change(func(r *fault.Rule) { *r = fault.Rule{} })
	}
}

// Pair is the two links between two hosts, cut and mended together.
type Pair struct {
	network *Network
	a, b    string
}

// Between returns the links from a to b and from b to a.
func (n *Network) Between(a, b string) Pair {
	return Pair{n, a, b}
}

// Cut sets the action of both links.
func (p Pair) Cut(action fault.Action) error {
	return errors.Join(p.network.Cut(action, p.a, p.b), p.network.Cut(action, p.b, p.a))
}

// Mend sets the action of both links to Pass.
func (p Pair) Mend() error {
	return p.Cut(fault.Pass)
}
