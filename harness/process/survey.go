package process

import (
	"context"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/process/child"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Link asks both ends, each for the connections that it dials. It returns an error if their rules differ. It skips an end
// that is down.
func (c *Cluster) Link(ctx context.Context, from, to int) (found target.LinkState, err error) {
	link, err := c.link(from, to)
	if err != nil {
		return found, err
	}
	c.mu.Lock()
	ends := c.endsLocked(link)
	c.mu.Unlock()
	asked := 0
	for _, e := range ends {
		said, runs, err := e.survey(ctx, link)
		switch {
		case err != nil:
			return found, err
		case !runs:
			continue
		case asked > 0 && said.Rule != found.Rule:
			return found, fmt.Errorf("the ends of the link from %s to %s have different rules: %+v and %+v",
				link.From, link.To, found.Rule, said.Rule)
		}
		asked++
		found.Rule, found.Reset = said.Rule, found.Reset || said.Reset
	}
	return found, nil
}

func (h *here) survey(_ context.Context, link network.Link) (found target.LinkState, runs bool, err error) {
	if found.Rule, err = h.cluster.place.Rule(link.From, link.To); err != nil {
		return found, true, err
	}
	found.Reset, err = h.cluster.place.Armed(link.From, link.To)
	return found, true, err
}

func (n *node) survey(ctx context.Context, link network.Link) (found target.LinkState, runs bool, err error) {
	life, err := n.running()
	if err != nil {
		return found, false, nil //nolint:nilerr // it is down
	}
	found, err = life.control.Link(ctx, link)
	return found, true, err
}

// Disk returns the faults of the disk, as the disk below the node or the node's process reports them.
func (c *Cluster) Disk(ctx context.Context, i int) (fault.Disk, error) {
	n, err := c.node(i)
	if err != nil {
		return fault.Disk{}, err
	}
	if disk := n.home.disk(); disk != nil {
		return disk.Disk(), nil
	}
	s, err := c.surroundings(ctx, i)
	return s.Disk, err
}

// Clock returns the skew of the clock, as the node's process reports it.
func (c *Cluster) Clock(ctx context.Context, i int) (time.Duration, error) {
	s, err := c.surroundings(ctx, i)
	return s.Ahead, err
}

func (c *Cluster) surroundings(ctx context.Context, i int) (child.Surroundings, error) {
	n, err := c.node(i)
	if err != nil {
		return child.Surroundings{}, err
	}
	life, err := n.running()
	if err != nil {
		return child.Surroundings{}, err
	}
	return life.control.Surroundings(ctx)
}

// Diverge makes the node's process change its database without going through the log.
func (c *Cluster) Diverge(ctx context.Context, i int, sql string) error {
	n, err := c.node(i)
	if err != nil {
		return err
	}
	life, err := n.running()
	if err != nil {
		return err
	}
	return life.control.Diverge(ctx, sql)
}
