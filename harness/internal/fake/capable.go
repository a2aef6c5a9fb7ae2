package fake

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// capable is a cluster with all abilities except those that need a real cluster.
type capable struct{ *Cluster }

var (
	_ target.Digester       = capable{}
	_ target.Deduplicator   = capable{}
	_ target.Starter        = capable{}
	_ target.Pauser         = capable{}
	_ target.LinkFaulter    = capable{}
	_ target.PacketCarrier  = capable{}
	_ target.DiskFaulter    = capable{}
	_ target.ClockSetter    = capable{}
	_ target.Membership     = capable{}
	_ target.LogReader      = capable{}
	_ target.FaultInspector = capable{}
	_ target.Diverger       = capable{}
	_ target.FileLister     = capable{}
)

func (c capable) Digest(ctx context.Context, node int) (uint64, string, error) {
	if c.OnDigest != nil {
		return c.OnDigest(ctx, node)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[node]
	return n.applied, fmt.Sprintf("sum at %d", n.applied), nil
}

func (c capable) Remembered(ctx context.Context, node int) (map[string]bool, error) {
	if c.OnRemembered != nil {
		return c.OnRemembered(ctx, node)
	}
	return c.Cluster.Remembered(node), nil
}

func (c capable) Memory() int { return c.memory }

func (c capable) Stop(ctx context.Context, node int) error {
	return c.change(ctx, node, "stop", nil, func(n *Node) { n.down, n.led = true, nil })
}

func (c capable) Crash(ctx context.Context, node int) error {
	return c.change(ctx, node, "crash", nil, func(n *Node) { n.down, n.paused, n.led = true, false, nil })
}

func (c capable) Start(ctx context.Context, node int) error {
	return c.change(ctx, node, "start", nil, func(n *Node) { n.down = false })
}

func (c capable) Pause(ctx context.Context, node int) error {
	return c.change(ctx, node, "pause", nil, func(n *Node) { n.paused = true })
}

func (c capable) Resume(ctx context.Context, node int) error {
	return c.change(ctx, node, "resume", nil, func(n *Node) { n.paused = false })
}

func (c capable) SetLink(ctx context.Context, from, to int, rule fault.Rule) error {
	return c.called(ctx, "link %d %d %+v", from, to, rule)
}

// CarriesPackets is true: it takes any rule.
func (capable) CarriesPackets() bool { return true }

// LinkStats returns zeros.
func (c capable) LinkStats(context.Context, int, int) (fault.LinkStats, error) {
	return fault.LinkStats{}, nil
}

func (c capable) ResetLink(ctx context.Context, from, to int) error {
	return c.called(ctx, "reset %d %d", from, to)
}

func (c capable) SetDisk(ctx context.Context, node int, faults fault.Disk) error {
	return c.called(ctx, "disk %d %+v", node, faults)
}

func (c capable) Damage(ctx context.Context, node int, part fault.Part) (string, error) {
	if err := c.called(ctx, "damage %d %s", node, part); err != nil {
		return "", err
	}
	return fmt.Sprintf("n%d/%s", node, part), nil
}

func (c capable) SetClock(ctx context.Context, node int, ahead time.Duration) error {
	return c.called(ctx, "clock %d %v", node, ahead)
}

// Link returns a link without faults.
func (c capable) Link(context.Context, int, int) (target.LinkState, error) {
	return target.LinkState{}, nil
}

// Disk returns a disk without faults.
func (c capable) Disk(context.Context, int) (fault.Disk, error) { return fault.Disk{}, nil }

// Clock returns no skew.
func (c capable) Clock(context.Context, int) (time.Duration, error) { return 0, nil }

func (c capable) Diverge(ctx context.Context, node int, sql string) error {
	return c.called(ctx, "diverge %d %s", node, sql)
}

func (c capable) Add(ctx context.Context, voter bool) (target.Node, error) {
	if err := c.called(ctx, "add %t", voter); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.addLocked(voter), nil
}

func (c capable) Remove(ctx context.Context, node int) error {
	return c.change(ctx, node, "remove", nil, func(n *Node) { n.down, n.led = true, nil })
}

func (c capable) Replace(ctx context.Context, node int) error {
	return c.change(ctx, node, "replace", nil, func(n *Node) {
		n.down, n.applied, n.remembered = false, 0, make(map[string]bool)
	})
}

func (c capable) Log(node int, most int) (string, error) {
	if err := c.called(context.Background(), "log %d", node); err != nil {
		return "", err
	}
	text := fmt.Sprintf("n%d said this", node)
	if c.OnLog != nil {
		text = c.OnLog(node)
	}
	return text[max(0, len(text)-most):], nil
}

func (c capable) Files(ctx context.Context, node int) ([]string, error) {
	if err := c.called(ctx, "files %d", node); err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("n%d/file", node)}, nil
}
