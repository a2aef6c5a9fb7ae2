package network

import (
	"fmt"
	"net"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// SetRule makes the link from one host to another what the rule says, for connections that exist
// too; the link the other way stays as it is. It is in effect when SetRule returns, and what ResetLink
// has armed is so no more.
//
// A message is what one Write sent, or as much of it as a connection had room for at once. Messages
// that are under way stay under way: they arrive when the old rule says, or as if they were sent
// under the new one now, whichever is sooner. SetRule fails for a rule that cannot be, a host that
// does not exist, and the way of a host to itself, which is always sound.
func (n *Network) SetRule(from, to string, r fault.Rule) error {
	l, err := n.linkBetween(from, to)
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return fmt.Errorf("rule the link from %s to %s: %w", from, to, err)
	}
	l.sever.Store(false)
	n.change(l, func(old *fault.Rule) { *old = r })
	return nil
}

// Rule is what the link from one host to another is. The only error is a host that does not exist.
func (n *Network) Rule(from, to string) (fault.Rule, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return fault.Rule{}, fmt.Errorf("look at the link from %s to %s: %w", from, to, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rule, nil
}

// Armed tells whether ResetLink waits for the next message on the link from one host to
// another. The only error is a host that does not exist.
func (n *Network) Armed(from, to string) (bool, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return false, fmt.Errorf("look at the link from %s to %s: %w", from, to, err)
	}
	return l.sever.Load(), nil
}

// change makes the link's rule another, and resets its connections if it refuses now.
func (n *Network) change(l *link, f func(*fault.Rule)) {
	l.change(f)
	if l.action() == fault.Refuse {
		n.resetAll(nil, func(r *route) bool { return r.out == l || r.back == l })
	}
}

// SetDelay makes every message between two different hosts, those that will be made later too,
// travel for latency and up to jitter more. What a link's own rule adds comes on top. Zero and zero
// take the delay away. It fails if one of them is negative or the network is closed.
func (n *Network) SetDelay(latency, jitter time.Duration) error {
	if latency < 0 || jitter < 0 {
		return fmt.Errorf("delay the network: latency %v and jitter %v must not be negative", latency, jitter)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("delay the network: %w", net.ErrClosed)
	}
	n.base = delay{latency, jitter}
	for _, l := range n.links {
		if l.from != l.to {
			l.setBase(n.base)
		}
	}
	return nil
}

// ResetLink cuts the next message that is sent over the link in half, rounded down, and resets its
// connection there: the sender finds it reset at once, the receiver after the first half. It is
// armed until a message comes while the link is up, or until SetRule or MendAll. It fails for a host that does
// not exist and for the way of a host to itself.
//
// Over TCP, what the accepting side sends is a message as far as one read of the socket got it; and
// the first half is lost with the rest if the receiver has left so much unread that the kernel could
// not send it.
func (n *Network) ResetLink(from, to string) error {
	l, err := n.linkBetween(from, to)
	if err != nil {
		return fmt.Errorf("reset the link from %s to %s: %w", from, to, err)
	}
	l.sever.Store(true)
	return nil
}
