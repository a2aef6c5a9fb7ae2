package network

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// Cut gives the link from one host to another an action; the rest of its rule, and the link the
// other way, stay as they are. It has taken effect when Cut returns. Cutting a host off itself does
// nothing. The only errors are an action or a host that does not exist.
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

// Mend brings the link from one host to another up again. What it held goes on; the rest of its
// rule stays.
func (n *Network) Mend(from, to string) error {
	return n.Cut(fault.Pass, from, to)
}

// MendAll gives every link the zero Rule, so that what was held or slowed down goes on at once, and
// takes back every ResetLink that has not bitten. The delay of the whole network stays, and so does
// a host that has crashed.
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

// Pair is the two links between two hosts, to be cut and mended together.
type Pair struct {
	network *Network
	a, b    string
}

// Between is the links from a to b and from b to a.
func (n *Network) Between(a, b string) Pair {
	return Pair{n, a, b}
}

// Cut gives both links an action.
func (p Pair) Cut(action fault.Action) error {
	return errors.Join(p.network.Cut(action, p.a, p.b), p.network.Cut(action, p.b, p.a))
}

// Mend brings both links up again.
func (p Pair) Mend() error {
	return p.Cut(fault.Pass)
}
