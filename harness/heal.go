package harness

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Heal undoes all faults, and blocks until all nodes are online: it stops flapping, mends all
// links, repairs all disks and clocks, and brings back every node that is offline. It does
// everything it can; the error joins what failed. A node whose storage has failed is not
// healed: the error wraps ErrFailed.
func (c *Cluster) Heal(ctx context.Context) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	errs := []error{c.stopFlapping(), c.MendLinks(ctx)}
	faults := c.Faults()
	nodes := c.Nodes()
	for _, node := range nodes {
		if _, bad := faults.Disks[node.index]; bad {
			errs = append(errs, c.SetDisk(ctx, node.index, fault.Disk{}))
		}
		if _, wrong := faults.Clocks[node.index]; wrong {
			errs = append(errs, c.SetClock(ctx, node.index, 0))
		}
	}
	var back []*Node
	for _, node := range nodes {
		if _, lost := c.Lost(node.index); lost {
			if err := c.BringNodeOnline(ctx, node.index); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		back = append(back, node)
	}
	end := c.journal.Begin(journal.Wait, journal.None, "wait until %d healed nodes are online", len(back))
	err = c.waitFor(ctx, back)
	end(err)
	return join(append(errs, err)...)
}
