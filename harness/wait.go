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
// knew then. If ctx ends before, or the node's storage has failed, which no wait
// mends (ErrFailed), the error is a *WaitError: what the node showed at all looks,
// and how far behind it was. A node that does not answer holds up no look for
// longer than a second.
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
	index, known := committed(c.Look(ctx))
	err = c.waitForNodeOnline(ctx, node, index, known)
	end(err)
	return err
}

// WaitForAllOnline waits for every member at once; the errors of those that did
// not come are joined. A node that is removed meanwhile is not waited for.
func (c *Cluster) WaitForAllOnline(ctx context.Context) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	end := c.journal.Begin(journal.Wait, journal.Nobody, "wait until all nodes are online")
	err = c.waitFor(ctx, c.Nodes())
	end(err)
	return err
}

func (c *Cluster) waitFor(ctx context.Context, nodes []*Node) error {
	index, known := committed(c.Look(ctx))
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
	return errors.Join(errs...)
}

// waitForNodeOnline waits until the node has applied the index, or what is
// committed once somebody can say.
func (c *Cluster) waitForNodeOnline(ctx context.Context, node *Node, index uint64, known bool) error {
	failure := &WaitError{Node: node.index, ID: node.ID(), Target: index}
	defer c.writeLast(node, failure)
	looks := newLooks()
	defer looks.stop()
	for {
		if !known { // a wait for nothing would be no wait
			failure.Target, known = committed(c.Look(ctx))
		}
		var err error
		if failure.Flag, err = c.IsNodeOnline(node.index); err != nil {
			return err
		}
		status, err := node.lookAt(ctx)
		switch {
		case err == nil:
			failure.Seen = nil
			failure.saw(status)
		case ctx.Err() == nil || len(failure.Shown) == 0: // the end of ctx does not hide what was shown
			failure.Seen = err
		}
		switch {
		case err != nil || !failure.Flag:
		case status.State == target.Failed:
			failure.Err = ErrFailed
			return failure
		case known && status.State == target.Online && status.AppliedIndex >= failure.Target:
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

// lookAt is one look of many.
func (n *Node) lookAt(ctx context.Context) (target.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, longestLook)
	defer cancel()
	return n.Status(ctx)
}

// writeLast writes down what the node took at the last look of a wait.
func (c *Cluster) writeLast(node *Node, wait *WaitError) {
	if len(wait.Shown) > 0 && wait.Last.State != target.Offline {
		c.writeOne(node, wait.Last, wait.Target)
	}
}
