package network

import (
	"errors"
	"fmt"
)

// Cut puts the link from one host to another into a mode; the link the other way stays as it is.
// It has taken effect when Cut returns. Cutting a host off itself does nothing. The only errors are
// a mode or a host that does not exist.
func (n *Network) Cut(mode Mode, from, to string) error {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return fmt.Errorf("cut the link from %s to %s: %w", from, to, err)
	}
	if mode < Up || mode > Refuse {
		return fmt.Errorf("cut the link from %s to %s: there is no %v", from, to, mode)
	}
	if from == to {
		return nil
	}
	l.set(mode)
	if mode == Refuse {
		n.resetAll(nil, func(r route) bool { return r.out == l || r.back == l })
	}
	return nil
}

// Mend brings the link from one host to another up again. What it held goes on.
func (n *Network) Mend(from, to string) error {
	return n.Cut(Up, from, to)
}

// MendAll brings every link up again. Delays stay.
func (n *Network) MendAll() {
	n.mu.Lock()
	links := make([]*link, 0, len(n.links))
	for _, l := range n.links {
		links = append(links, l)
	}
	n.mu.Unlock()
	for _, l := range links {
		l.set(Up)
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
