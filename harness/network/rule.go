package network

import (
	"errors"
	"fmt"
	"time"
)

// Rule is how a link treats what is sent over it. The zero Rule is a sound link.
type Rule struct {
	// Mode is whether anything passes at all.
	Mode Mode
	// Latency is how long each message travels, Jitter the most that chance adds
	// to it. Messages of one connection never overtake each other.
	Latency, Jitter time.Duration
	// Loss is the share of messages that are lost, from 0 to below 1. As TCP does
	// (RFC 6298), what is lost is sent again, Retransmit later, and twice that if
	// it is lost again: loss is felt as delay, and never as a gap.
	Loss float64
	// Bandwidth is how many bytes a second all connections together send over the link;
	// 0 is no limit.
	Bandwidth int64
}

// Retransmit is how long a sender waits before it sends again what was lost:
// the least that Linux has.
const Retransmit = 200 * time.Millisecond

// Validate returns why there can be no such link, or nil.
func (r Rule) Validate() error {
	switch {
	case r.Mode < Up || r.Mode > Refuse:
		return fmt.Errorf("there is no %v", r.Mode)
	case r.Latency < 0 || r.Jitter < 0:
		return fmt.Errorf("neither latency %v nor jitter %v may be negative", r.Latency, r.Jitter)
	case !(r.Loss >= 0 && r.Loss < 1):
		return fmt.Errorf("loss %v is not from 0 to below 1", r.Loss)
	case r.Bandwidth < 0:
		return errors.New("bandwidth may not be negative")
	}
	return nil
}
