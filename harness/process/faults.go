package process

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/fault"
)

// SetDisk sets the faults of the node's disk: below the node if its home has such a disk, else in the node's process.
func (c *Cluster) SetDisk(ctx context.Context, i int, faults fault.Disk) error {
	if faults.Slow < 0 {
		return fmt.Errorf("disk slowdown %v: must not be negative", faults.Slow)
	}
	n, err := c.node(i)
	if err != nil {
		return err
	}
	if disk := n.home.disk(); disk != nil {
		return disk.SetDisk(ctx, faults)
	}
	return c.order(ctx, i, func(n *node) { n.faults, n.pending.disk = faults, true })
}

// SetClock sets the skew of the node's clock.
func (c *Cluster) SetClock(ctx context.Context, i int, ahead time.Duration) error {
	return c.order(ctx, i, func(n *node) { n.ahead, n.pending.clock = ahead, true })
}

func (c *Cluster) order(ctx context.Context, i int, note func(*node)) error {
	n, err := c.node(i)
	if err != nil {
		return err
	}
	c.mu.Lock()
	note(n)
	c.mu.Unlock()
	return c.tell(ctx, []end{n})
}

// Damage flips a byte in the file directly, without the node's process.
func (c *Cluster) Damage(ctx context.Context, node int, part fault.Part) (file string, err error) {
	if err := part.Validate(); err != nil {
		return "", err
	}
	n, ctx, leave, err := c.enter(ctx, node)
	if err != nil {
		return "", err
	}
	defer leave()
	if err := n.home.refresh(ctx); err != nil {
		return "", fmt.Errorf("damage the %s of node %s: %w", part, n.id, err)
	}
	if part == fault.Database {
		file, err = machine.Damage(filepath.Join(n.home.dir(), "state"))
	} else {
		file, err = disk.Files(n.home.dir()).Damage(part)
	}
	if err == nil {
		err = n.home.refresh(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("damage the %s of node %s: %w", part, n.id, err)
	}
	return file, nil
}
