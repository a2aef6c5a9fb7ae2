package harness

import (
	"context"
	"errors"
	"fmt"
)

// Leader returns the index of the node that a quorum of the voters calls leader, asked past
// every fault. A node that was stopped, crashed or paused leads nothing, whatever the others
// have not noticed yet. If there is no leader the error wraps ErrNoLeader.
func (c *Cluster) Leader(ctx context.Context) (_ int, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return -1, err
	}
	defer leave(&err)
	quorum, voters := c.Quorum(), c.voters()
	observed := c.Observe(ctx)
	votes := make(map[string]int)
	var errs []error
	for _, o := range observed {
		switch {
		case o.Err != nil:
			errs = append(errs, o.Err)
		case o.runs() && o.Node.Votes():
			votes[o.Status.Leader]++
		}
	}
	for _, o := range observed {
		switch {
		case votes[o.Node.ID()] < quorum:
		case o.Err == nil && !o.runs():
			return -1, fmt.Errorf("%w: %s is called leader by %d of %d nodes, and is %s", ErrNoLeader, o.Node, votes[o.Node.ID()], voters, o.Status.Reason)
		default:
			return o.Node.index, nil
		}
	}
	return -1, errors.Join(append([]error{fmt.Errorf("%w: no node is called leader by %d of %d nodes: %v", ErrNoLeader, quorum, voters, votes)}, errs...)...)
}
