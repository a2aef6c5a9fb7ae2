package harness

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// lookEvery is how often a waiting harness looks again.
const lookEvery = time.Millisecond

// WaitForNodeOnline blocks until the node's flag is up, the node shows itself
// online, and it has applied what was committed at the call, as far as any node
// knew then. If ctx ends before, the error is a *WaitError: what the node last
// showed, and how far behind it was.
func (c *Cluster) WaitForNodeOnline(ctx context.Context, i int) error {
	node, err := c.Node(i)
	if err != nil {
		return err
	}
	end := c.journal.Begin(journal.Wait, i, "wait until online")
	err = c.waitForNodeOnline(ctx, node)
	end(err)
	return err
}

func (c *Cluster) waitForNodeOnline(ctx context.Context, node *Node) error {
	committed := c.committed(ctx)
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for {
		flag, err := c.IsNodeOnline(node.index)
		if err != nil {
			return err
		}
		status, seen := node.Status(ctx)
		if flag && seen == nil && status.State == target.Online && status.AppliedIndex >= committed {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return &WaitError{Node: node.index, ID: node.ID(), Flag: flag, Target: committed,
				Last: status, Seen: seen, Err: context.Cause(ctx)}
		}
	}
}

// WaitForAllOnline waits for every node at once; the errors of those that did
// not come are joined.
func (c *Cluster) WaitForAllOnline(ctx context.Context) error {
	end := c.journal.Begin(journal.Wait, journal.Nobody, "wait until all nodes are online")
	err := c.waitForAllOnline(ctx)
	end(err)
	return err
}

func (c *Cluster) waitForAllOnline(ctx context.Context) error {
	errs := make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, node := range c.nodes {
		wg.Go(func() { errs[i] = c.waitForNodeOnline(ctx, node) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// committed is the highest log index that any node knows to be committed. What
// was acknowledged is at or below it.
func (c *Cluster) committed(ctx context.Context) uint64 {
	var highest uint64
	for _, n := range c.nodes {
		if status, err := n.Status(ctx); err == nil {
			highest = max(highest, status.CommitIndex)
		}
	}
	return highest
}
