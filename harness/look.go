package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// longestLook bounds how long one look waits for a node: who is to hold up nobody
// counts as unknown then. Who waits looks again.
const longestLook = time.Second

// longestOnly is the same where there is no second look.
const longestOnly = 5 * time.Second

// Look is what a node showed when all were asked.
type Look struct {
	Node   *Node
	Status target.Status
	Err    error // why it could not be asked; nil if it could
}

// runs tells whether the node itself has answered.
func (l Look) runs() bool { return l.Err == nil && l.Status.State != target.Offline }

// Look asks all members at once, past every fault, for their status. Each may take
// a second, so that one that hangs hides none of the others.
func (c *Cluster) Look(ctx context.Context) []Look { return c.look(ctx, longestLook) }

// Peek is Look for reports: what the nodes show is not noted by the cluster, in its
// journal or for its judges, so that a report changes nothing. A report may ask a cluster
// in virtual time from outside of its bubble.
func (c *Cluster) Peek(ctx context.Context) []Look {
	return askAll(ctx, c.Nodes(), longestLook, (*Node).peek)
}

func (c *Cluster) look(ctx context.Context, longest time.Duration) []Look {
	return lookAt(ctx, c.Nodes(), longest)
}

// lookAt asks the nodes at once.
func lookAt(ctx context.Context, nodes []*Node, longest time.Duration) []Look {
	return askAll(ctx, nodes, longest, (*Node).Status)
}

func askAll(ctx context.Context, nodes []*Node, longest time.Duration, ask func(*Node, context.Context) (target.Status, error)) []Look {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	looks := make([]Look, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() {
			looks[i].Node = node
			looks[i].Status, looks[i].Err = ask(node, ctx)
		})
	}
	wg.Wait()
	return looks
}

// committed is the highest log index that any node knows to be committed. What
// was acknowledged is at or below it. It is not known if no node could be asked.
func committed(looks []Look) (highest uint64, known bool) {
	for _, l := range looks {
		if l.runs() {
			highest, known = max(highest, l.Status.CommitIndex), true
		}
	}
	return highest, known
}

// Leader is the index of the node that leads, by the word of a quorum of those
// that vote, asked past every fault. A node that was stopped, crashed or paused
// leads nobody, whatever the others have not noticed yet. If there is no leader the
// error is ErrNoLeader.
func (c *Cluster) Leader(ctx context.Context) (_ int, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return -1, err
	}
	defer leave(&err)
	quorum, voters := c.Quorum(), c.voters()
	looks := c.Look(ctx)
	votes := make(map[string]int)
	var errs []error
	for _, l := range looks {
		switch {
		case l.Err != nil:
			errs = append(errs, l.Err)
		case l.runs() && l.Node.Votes():
			votes[l.Status.Leader]++
		}
	}
	for _, l := range looks {
		switch {
		case votes[l.Node.ID()] < quorum:
		case l.Err == nil && !l.runs():
			return -1, fmt.Errorf("%w: %s is called leader by %d of %d nodes, and is %s", ErrNoLeader, l.Node, votes[l.Node.ID()], voters, l.Status.Reason)
		default:
			return l.Node.index, nil
		}
	}
	return -1, errors.Join(append([]error{fmt.Errorf("%w: no node is called leader by %d of %d nodes: %v", ErrNoLeader, quorum, voters, votes)}, errs...)...)
}
