package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Rule is how a link treats messages. The zero Rule is a sound link.
type Rule struct {
	// Action decides whether messages are delivered at all.
	Action Action `json:"action,omitempty"`
	// Latency is the travel time of each message. Jitter is the most that is added to it at random.
	// Messages of one connection never overtake each other.
	Latency time.Duration `json:"latency_ns,omitempty"`
	Jitter  time.Duration `json:"jitter_ns,omitempty"`
	// Loss is the share of messages that are lost, at least 0 and below 1. As in TCP (RFC 6298), a
	// lost message is sent again after network.Retransmit, and after twice that if it is lost again.
	// A connection observes loss as delay, never as a gap.
	Loss float64 `json:"loss,omitempty"`
	// Bandwidth is how many bytes per second all connections together send over the link. 0 is no
	// limit.
	Bandwidth int64 `json:"bandwidth,omitempty"`
	// Duplicate is the share of packets that are delivered twice, Reorder the share that are delivered
	// after the packet that follows them. Both are at least 0 and below 1. They need links of packets:
	// see package hosts. Links of messages, as those of package network, reject a rule with either.
	Duplicate float64 `json:"duplicate,omitempty"`
	Reorder   float64 `json:"reorder,omitempty"`
}

// Validate returns why the rule is invalid, or nil.
func (r Rule) Validate() error {
	switch {
	case r.Action < Pass || r.Action > Refuse:
		return fmt.Errorf("unknown %v", r.Action)
	case r.Latency < 0 || r.Jitter < 0:
		return fmt.Errorf("latency %v and jitter %v must not be negative", r.Latency, r.Jitter)
	case !(r.Loss >= 0 && r.Loss < 1):
		return fmt.Errorf("loss %v must be at least 0 and below 1", r.Loss)
	case !(r.Duplicate >= 0 && r.Duplicate < 1) || !(r.Reorder >= 0 && r.Reorder < 1):
		return fmt.Errorf("duplicate %v and reorder %v must be at least 0 and below 1", r.Duplicate, r.Reorder)
	case r.Bandwidth < 0:
		return errors.New("bandwidth must not be negative")
	}
	return nil
}

// ErrPackets rejects a rule that needs links of packets.
var ErrPackets = errors.New("duplicates and reordering need links that carry packets; these carry messages")

// Packets tells whether the rule needs links of packets.
func (r Rule) Packets() bool { return r.Duplicate > 0 || r.Reorder > 0 }

// String describes the rule in words; "sound" for the zero Rule.
func (r Rule) String() string {
	var words []string
	if r.Action != Pass {
		words = append(words, r.Action.String())
	}
	if r.Latency > 0 || r.Jitter > 0 {
		words = append(words, fmt.Sprintf("latency %v, jitter %v", r.Latency, r.Jitter))
	}
	if r.Loss > 0 {
		words = append(words, fmt.Sprintf("loss %g%%", r.Loss*100))
	}
	if r.Duplicate > 0 {
		words = append(words, fmt.Sprintf("%g%% twice", r.Duplicate*100))
	}
	if r.Reorder > 0 {
		words = append(words, fmt.Sprintf("%g%% late", r.Reorder*100))
	}
	if r.Bandwidth > 0 {
		words = append(words, fmt.Sprintf("%d bytes a second", r.Bandwidth))
	}
	if len(words) == 0 {
		return "sound"
	}
	return strings.Join(words, ", ")
}
