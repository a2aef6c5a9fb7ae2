package fabric

import (
	"fmt"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/hosts/internal/packet"
)

// counters count the packets of a link.
type counters struct{ messages, bytes, empty, lost, resets, duplicates, reordered atomic.Uint64 }

func (c *counters) add(p packet.Packet) {
	c.messages.Add(1)
	c.bytes.Add(uint64(p.Size()))
	if s, ok := p.Segment(); ok && s.Data == 0 {
		c.empty.Add(1)
	}
}

// happened counts what the rule did to a packet that is delivered.
func (c *counters) happened(i *item) {
	if i.overtaken {
		c.reordered.Add(1)
	}
	if i.again {
		c.duplicates.Add(1)
	}
}

// SetRule sets the rule of the link from one host to another. It is in effect when SetRule returns.
func (f *Fabric) SetRule(from, to string, r fault.Rule) error {
	l, err := f.between(from, to)
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return fmt.Errorf("set the rule of the link from %s to %s: %w", from, to, err)
	}
	l.set(r)
	return nil
}

// Rule returns the rule of the link from one host to another.
func (f *Fabric) Rule(from, to string) (fault.Rule, error) {
	l, err := f.named(from, to)
	if err != nil {
		return fault.Rule{}, fmt.Errorf("read the rule of the link from %s to %s: %w", from, to, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rule, nil
}

// ResetLink cuts the next segment with content in half, and resets its connection at both ends.
func (f *Fabric) ResetLink(from, to string) error {
	l, err := f.between(from, to)
	if err != nil {
		return fmt.Errorf("reset the link from %s to %s: %w", from, to, err)
	}
	l.arm()
	return nil
}

// Armed returns whether ResetLink waits for a segment.
func (f *Fabric) Armed(from, to string) (bool, error) {
	l, err := f.named(from, to)
	if err != nil {
		return false, fmt.Errorf("read the rule of the link from %s to %s: %w", from, to, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.armed, nil
}

// Stats returns the counters of the link from one host to another.
func (f *Fabric) Stats(from, to string) (fault.LinkStats, error) {
	l, err := f.named(from, to)
	if err != nil {
		return fault.LinkStats{}, fmt.Errorf("read the counters of the link from %s to %s: %w", from, to, err)
	}
	c := &l.passed
	return fault.LinkStats{
		Messages: c.messages.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(), Resets: c.resets.Load(),
		Empty: c.empty.Load(), Duplicates: c.duplicates.Load(), Reordered: c.reordered.Load(),
	}, nil
}
