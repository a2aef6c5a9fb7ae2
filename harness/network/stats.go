package network

import (
	"fmt"
	"sync/atomic"
)

// Stats is what a link has done since its network began.
type Stats struct {
	// Messages and Bytes have been passed on: over a link that drops everything none are.
	Messages, Bytes uint64
	// Lost is how often a message was lost and had to be sent again.
	Lost uint64
	// Resets is how many connections ResetLink has ended.
	Resets uint64
}

// Plus is the sum of two, for a link that two processes rule.
func (s Stats) Plus(t Stats) Stats {
	return Stats{s.Messages + t.Messages, s.Bytes + t.Bytes, s.Lost + t.Lost, s.Resets + t.Resets}
}

type counters struct{ messages, bytes, lost, resets atomic.Uint64 }

func (c *counters) add(messages, bytes int) {
	c.messages.Add(uint64(messages))
	c.bytes.Add(uint64(bytes))
}

// Stats returns what the link from one host to another has done. The only error is a host that does
// not exist.
func (n *Network) Stats(from, to string) (Stats, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return Stats{}, fmt.Errorf("count what %s sent to %s: %w", from, to, err)
	}
	c := &l.passed
	return Stats{c.messages.Load(), c.bytes.Load(), c.lost.Load(), c.resets.Load()}, nil
}
