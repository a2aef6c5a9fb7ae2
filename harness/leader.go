package harness

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	onlineVoters, voters := c.voters()
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
		case votes[o.Node.ID()] < quorumOf(voters):
		case o.Err == nil && !o.runs():
			return -1, fmt.Errorf("%w: %s is called leader by %d of %d voters, and is %s",
				ErrNoLeader, o.Node, votes[o.Node.ID()], voters, o.Status.Reason)
		default:
			return o.Node.index, nil
		}
	}
	why := fmt.Sprintf("no node is called leader by %d of %d voters (%s)", quorumOf(voters), voters, counted(votes))
	if missing := missingQuorum(onlineVoters, voters); missing != "" {
		why = missing
	}
	return -1, join(append([]error{fmt.Errorf("%w: %s", ErrNoLeader, why)}, errs...)...)
}

// counted says how many voters call which node leader.
func counted(votes map[string]int) string {
	var words []string
	for _, id := range slices.Sorted(maps.Keys(votes)) {
		name := id
		if id == "" {
			name = "none"
		}
		words = append(words, fmt.Sprintf("%s: %d", name, votes[id]))
	}
	return strings.Join(words, ", ")
}
