package inprocess

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/internal/rundir"
)

// SetDisk sets the faults of a node's disk. They are in effect when it returns.
func (c *Cluster) SetDisk(_ context.Context, node int, faults fault.Disk) error {
	if c.living.Err() != nil {
		return errClosed
	}
	if faults.Slow < 0 {
		return fmt.Errorf("disk slowdown %v: must not be negative", faults.Slow)
	}
	c.node(node).config.Disk.Set(faults)
	return nil
}

// Damage flips a byte on the disk, or in the working copy of the database.
func (c *Cluster) Damage(_ context.Context, node int, part fault.Part) (file string, err error) {
	if err := part.Validate(); err != nil {
		return "", err
	}
	if c.living.Err() != nil {
		return "", errClosed
	}
	config := c.node(node).config
	if part == fault.Database {
		return machine.Damage(filepath.Join(config.Dir, "state"))
	}
	return config.Disk.Damage(part)
}

// SetClock sets the skew of a node's clock. It is in effect when SetClock returns.
func (c *Cluster) SetClock(_ context.Context, node int, ahead time.Duration) error {
	if c.living.Err() != nil {
		return errClosed
	}
	c.node(node).ahead.Store(int64(ahead))
	return nil
}

// Disk returns the faults of the disk, whether or not the node runs.
func (c *Cluster) Disk(_ context.Context, node int) (fault.Disk, error) {
	return c.node(node).config.Disk.Faults(), nil
}

// Clock returns how far the node's clock is ahead, rounded to seconds.
func (c *Cluster) Clock(_ context.Context, node int) (time.Duration, error) {
	ahead := time.Until(c.node(node).config.Now())
	return ahead.Round(time.Second), nil
}

// Diverge changes the node's database without going through the log.
func (c *Cluster) Diverge(_ context.Context, node int, sql string) error {
	running, err := c.node(node).up()
	if err != nil {
		return err
	}
	return running.Diverge(sql)
}

// Files lists the files on the node's disk, and those of the working copy of its database.
func (c *Cluster) Files(_ context.Context, node int) ([]string, error) {
	if c.living.Err() != nil {
		return nil, errClosed
	}
	config := c.node(node).config
	names, err := config.Disk.Names()
	if err != nil {
		return nil, err
	}
	working, err := rundir.Files(config.Dir)
	if err != nil {
		return nil, err
	}
	names = append(names, working...)
	slices.Sort(names)
	return slices.Compact(names), nil // a disk of real files is in the same directory
}
