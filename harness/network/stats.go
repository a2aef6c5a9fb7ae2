package network

import (
	"fmt"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// counters count the traffic of a link.
type counters struct{ messages, bytes, lost, resets atomic.Uint64 }

func (c *counters) add(messages, bytes int) {
	c.messages.Add(uint64(messages))
	c.bytes.Add(uint64(bytes))
}

// Stats returns the counters of the link from one host to another. It returns an error for an
// unknown host, or if the network is closed.
func (n *Network) Stats(from, to string) (fault.LinkStats, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return fault.LinkStats{}, fmt.Errorf("read the counters of the link from %s to %s: %w", from, to, err)
	}
	c := &l.passed
	return fault.LinkStats{
		Messages: c.messages.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(), Resets: c.resets.Load(),
	}, nil
}
