package harness

import (
	"context"
	"errors"
	"sync"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// WaitForNodeOnline blocks until the node's flag is up, the node reports itself online, and it
// has applied what any node knew to be committed at the call. If ctx ends first, or the node's
// storage has failed (ErrFailed), the error is a *WaitError: it says what the node showed, how
// far behind it was, and whether a quorum is missing. Another node that does not answer delays
// the wait by a second at most.
func (c *Cluster) WaitForNodeOnline(ctx context.Context, i int) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	node, err := c.Node(i)
	if err != nil {
		return err
	}
	end := c.journal.Begin(journal.Wait, i, "wait until online")
	index, known := committed(c.Observe(ctx))
	err = c.waitForNodeOnline(ctx, node, index, known)
	end(err)
	return err
}

// WaitForAllOnline waits for every member in parallel, as WaitForNodeOnline does; the error joins
// those of the nodes that did not come online. It does not wait for a node that is removed
// meanwhile.
func (c *Cluster) WaitForAllOnline(ctx context.Context) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	end := c.journal.Begin(journal.Wait, journal.None, "wait until all nodes are online")
	err = c.waitFor(ctx, c.Nodes())
	end(err)
	return err
}

func (c *Cluster) waitFor(ctx context.Context, nodes []*Node) error {
	index, known := committed(c.Observe(ctx))
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() {
			errs[i] = c.waitForNodeOnline(ctx, node, index, known)
			if gone := (*RemovedError)(nil); errors.As(errs[i], &gone) {
				errs[i] = nil
			}
		})
	}
	wg.Wait()
	return join(errs...)
}

// waitForNodeOnline waits until the node has applied the index. If no node could tell yet
// what is committed, it waits until one can, and then for that index.
func (c *Cluster) waitForNodeOnline(ctx context.Context, node *Node, index uint64, known bool) error {
	failure := &WaitError{Node: node.index, ID: node.ID(), Target: index}
	poll := newPoll()
	defer poll.stop()
	for {
		if !known {
			failure.Target, known = committed(c.Observe(ctx))
		}
		var err error
		if failure.Flag, err = c.IsNodeOnline(node.index); err != nil {
			return err
		}
		status, err := node.probe(ctx)
		failure.probed(status, err, ctx.Err() != nil)
		switch {
		case err != nil || !failure.Flag:
		case status.State == target.Failed:
			failure.Err = ErrFailed
			return c.waitFailed(node, failure)
		case known && status.State == target.Online && status.AppliedIndex >= failure.Target:
			c.writeOne(node, status, failure.Target)
			return nil
		}
		select {
		case <-poll.next():
		case <-ctx.Done():
			failure.Err = context.Cause(ctx)
			return c.waitFailed(node, failure)
		}
	}
}

// waitFailed completes the error of a wait, and records the node's resources.
func (c *Cluster) waitFailed(node *Node, failure *WaitError) error {
	failure.OnlineVoters, failure.Voters = c.voters()
	if len(failure.phases) > 0 && failure.Last.State != target.Offline {
		c.writeOne(node, failure.Last, failure.Target)
	}
	return failure
}
