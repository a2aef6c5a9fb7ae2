package network

import (
	"fmt"
	"net"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// SetRule sets the rule of the link from one host to another, also for existing connections; the
// opposite link does not change. The rule is in effect when SetRule returns. It cancels a pending
// ResetLink.
//
// A message is the data of one Write, or as much of it as the connection had room for at once.
// Messages in flight arrive as scheduled under the old rule, or as if they were sent under the
// new rule now, whichever is earlier. SetRule returns an error for an invalid rule, an unknown
// host, and a link of a host to itself, which is never impaired.
func (n *Network) SetRule(from, to string, r fault.Rule) error {
	l, err := n.linkBetween(from, to)
	if err == nil {
		err = r.Validate()
	}
	if err == nil && r.Packets() {
		err = fault.ErrPackets
	}
	if err != nil {
		return fmt.Errorf("set the rule of the link from %s to %s: %w", from, to, err)
	}
	l.sever.Store(false)
	n.change(l, func(old *fault.Rule) { *old = r })
	return nil
}

// Rule returns the rule of the link from one host to another. It returns an error for an unknown
// host, or if the network is closed.
func (n *Network) Rule(from, to string) (fault.Rule, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return fault.Rule{}, fmt.Errorf("read the rule of the link from %s to %s: %w", from, to, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rule, nil
}

// Armed returns whether ResetLink waits for the next message on the link from one host to
// another. It returns an error for an unknown host, or if the network is closed.
func (n *Network) Armed(from, to string) (bool, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return false, fmt.Errorf("read the rule of the link from %s to %s: %w", from, to, err)
	}
	return l.sever.Load(), nil
}

// change changes the link's rule, and resets its connections if it refuses now.
func (n *Network) change(l *link, f func(*fault.Rule)) {
	l.change(f)
	if l.action() == fault.Refuse {
		n.resetAll(nil, func(r *route) bool { return r.out == l || r.back == l })
	}
}

// SetDelay delays every message between two different hosts, also of hosts created later, by
// latency plus a random duration below jitter. A link's own rule adds to it. Zero values remove
// the delay. SetDelay returns an error for negative values, or if the network is closed.
func (n *Network) SetDelay(latency, jitter time.Duration) error {
	if latency < 0 || jitter < 0 {
		return fmt.Errorf("set the network's delay: latency %v and jitter %v must not be negative", latency, jitter)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("set the network's delay: %w", net.ErrClosed)
	}
	n.base = delay{latency, jitter}
	for _, l := range n.links {
		if l.from != l.to {
			l.setBase(n.base)
		}
	}
	return nil
}

// ResetLink cuts the next message on the link in half, rounded down, and resets its connection
// there: the sender sees the reset at once, the receiver after the first half. It waits for a
// message while the link is up, until SetRule or MendAll cancels it. It returns an error for an
// unknown host and for a link of a host to itself.
//
// Over TCP, a message of the accepting side is the data of one read of the socket. The first half
// is also lost if the receiver has left so much unread that the kernel could not send it.
func (n *Network) ResetLink(from, to string) error {
	l, err := n.linkBetween(from, to)
	if err != nil {
		return fmt.Errorf("reset the link from %s to %s: %w", from, to, err)
	}
	l.sever.Store(true)
	return nil
}
