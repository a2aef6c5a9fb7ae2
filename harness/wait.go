package harness

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// A waiting harness looks again soon at first, and then seldom enough that what
// it waits for is seen at most a twentieth late: looking costs the nodes time.
const (
	lookSoonest = time.Millisecond
	lookLatest  = time.Second
)

// looks is a wait of that kind.
type looks struct {
	begun time.Time
	timer *time.Timer
}

func newLooks() *looks { return &looks{time.Now(), time.NewTimer(lookSoonest)} }

// again yields when it is time for another look. It is to be asked for before
// each wait.
func (l *looks) again() <-chan time.Time {
	l.timer.Reset(min(max(time.Since(l.begun)/20, lookSoonest), lookLatest))
	return l.timer.C
}

func (l *looks) stop() { l.timer.Stop() }

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
	failure := &WaitError{Node: node.index, ID: node.ID()}
	known, shown := false, false
	looks := newLooks()
	defer looks.stop()
	for {
		if !known { // a wait for nothing would be no wait
			failure.Target, known = c.committed(ctx)
		}
		var err error
		if failure.Flag, err = c.IsNodeOnline(node.index); err != nil {
			return err
		}
		status, err := node.Status(ctx)
		switch {
		case err == nil:
			failure.Last, failure.Seen, shown = status, nil, true
		case ctx.Err() == nil || !shown: // the end of ctx does not hide what was shown
			failure.Seen = err
		}
		if known && failure.Flag && err == nil && status.State == target.Online && status.AppliedIndex >= failure.Target {
			return nil
		}
		select {
		case <-looks.again():
		case <-ctx.Done():
			failure.Err = context.Cause(ctx)
			return failure
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
// was acknowledged is at or below it. It is not known if no node can be asked.
func (c *Cluster) committed(ctx context.Context) (highest uint64, known bool) {
	for _, n := range c.nodes {
		if status, err := n.Status(ctx); err == nil {
			highest, known = max(highest, status.CommitIndex), true
		}
	}
	return highest, known
}
