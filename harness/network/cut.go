package network

import (
	"errors"
	"fmt"
)

// Cut puts the link from one host to another into a mode; the rest of its rule, and the link the
// other way, stay as they are. It has taken effect when Cut returns. Cutting a host off itself does
// nothing. The only errors are a mode or a host that does not exist.
func (n *Network) Cut(mode Mode, from, to string) error {
	l, err := n.linkNamed(from, to)
	if err == nil {
		err = Rule{Mode: mode}.Validate()
	}
	if err != nil {
		return fmt.Errorf("cut the link from %s to %s: %w", from, to, err)
	}
	if from != to {
		n.change(l, func(r *Rule) { r.Mode = mode })
	}
	return nil
}

// Mend brings the link from one host to another up again. What it held goes on; the rest of its
// rule stays.
func (n *Network) Mend(from, to string) error {
	return n.Cut(Up, from, to)
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
		l.change(func(r *Rule) { *r = Rule{} })
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

// Cut puts both links into a mode.
func (p Pair) Cut(mode Mode) error {
	return errors.Join(p.network.Cut(mode, p.a, p.b), p.network.Cut(mode, p.b, p.a))
}

// Mend brings both links up again.
func (p Pair) Mend() error {
	return p.Cut(Up)
}
