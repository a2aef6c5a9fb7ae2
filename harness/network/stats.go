package network

import (
	"fmt"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness/fault"
)

// counters count what a link carries.
type counters struct{ messages, bytes, lost, resets atomic.Uint64 }

func (c *counters) add(messages, bytes int) {
	c.messages.Add(uint64(messages))
	c.bytes.Add(uint64(bytes))
}

// Stats returns what the link from one host to another has carried and lost. The only error is a
// host that does not exist.
func (n *Network) Stats(from, to string) (fault.LinkStats, error) {
	l, err := n.linkNamed(from, to)
	if err != nil {
		return fault.LinkStats{}, fmt.Errorf("count what %s sent to %s: %w", from, to, err)
	}
	c := &l.passed
	return fault.LinkStats{
		Messages: c.messages.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(), Resets: c.resets.Load(),
	}, nil
}
