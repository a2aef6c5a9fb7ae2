package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Settling bounds how long VerifyDataConsistency, and a statement after a schema
// change, wait for nodes to catch up when their context has no deadline.
const Settling = 10 * time.Second

// longestSilence is how long a node may fail to report its status before a wait for
// its applied index ends.
const longestSilence = 5 * time.Second

// ErrUnreachable is wrapped by the error of waiting for a node that has not reported
// its status for five seconds.
var ErrUnreachable = errors.New("the node does not report its status")

// settling is ctx, which ends after Settling if it has no deadline of its own.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, Settling,
		fmt.Errorf("%w: the context has no deadline, so the wait is limited to %v", context.DeadlineExceeded, Settling))
}

// settle blocks until each of the nodes has applied what any of them knows to be
// committed at the call, and returns what they showed then. A node that is taken
// offline or removed meanwhile is left out. The errors of nodes that do not catch up
// before ctx ends are joined; each is a *WaitError.
func (c *Cluster) settle(ctx context.Context, nodes []*Node) ([]Look, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	looks, index := c.lookForCommitted(ctx, nodes)
	errs := make([]error, len(looks))
	var wg sync.WaitGroup
	for i := range looks {
		wg.Go(func() {
			looks[i], errs[i] = c.awaitApplied(ctx, looks[i], index, "to apply what is committed before nodes are compared")
		})
	}
	wg.Wait()
	var settled []Look
	for _, l := range looks {
		if l.runs() {
			settled = append(settled, l)
		}
	}
	return settled, errors.Join(errs...)
}

// lookForCommitted looks until a node knows of a committed log index. It does not wait
// for nodes that report no indexes at all, nor for nodes that are silent.
func (c *Cluster) lookForCommitted(ctx context.Context, nodes []*Node) (looks []Look, index uint64) {
	pause := newLooks()
	defer pause.stop()
	for begun := time.Now(); ; {
		looks = lookAt(ctx, nodes, longestLook)
		index, _ = committed(looks)
		if index > 0 || !c.indexed.Load() || time.Since(begun) > longestSilence {
			return looks, index
		}
		select {
		case <-pause.again():
		case <-ctx.Done():
			return looks, index
		}
	}
}

// awaitApplied blocks until the node has applied the index and returns the look that
// showed it. It begins with a look that was taken before. A node that is taken offline
// or removed is not waited for: its look shows target.Offline.
func (c *Cluster) awaitApplied(ctx context.Context, look Look, index uint64, purpose string) (Look, error) {
	node, begun := look.Node, time.Now()
	failure := &WaitError{Node: node.index, ID: node.ID(), Target: index, Purpose: purpose}
	pause := newLooks()
	defer pause.stop()
	for heard := begun; ; {
		up, err := c.IsNodeOnline(node.index)
		if failure.Flag = up; err != nil || !up {
			return Look{Node: node, Status: target.Status{State: target.Offline}}, nil
		}
		switch {
		case look.Err == nil:
			heard, failure.Seen = time.Now(), nil
			failure.saw(look.Status)
		case ctx.Err() == nil || len(failure.Shown) == 0: // the end of ctx does not hide what was shown
			failure.Seen = look.Err
		}
		switch {
		case look.Err != nil && time.Since(heard) > longestSilence:
			failure.Err = ErrUnreachable
		case look.Err == nil && look.Status.State == target.Failed:
			failure.Err = ErrFailed
		case look.runs() && look.Status.AppliedIndex >= index:
			return look, nil
		}
		if failure.Err == nil {
			select {
			case <-pause.again():
				look.Status, look.Err = node.lookAt(ctx)
				continue
			case <-ctx.Done():
				failure.Err = context.Cause(ctx)
			}
		}
		failure.Waited = time.Since(begun)
		c.writeLast(node, failure)
		return look, failure
	}
}

// alike tells whether two looks, before and after a comparison, prove that all nodes
// were at one and the same log index in between.
func alike(before, after []Look) bool {
	index := before[0].Status.AppliedIndex
	for i := range before {
		if after[i].Err != nil || before[i].Status.AppliedIndex != index || after[i].Status.AppliedIndex != index {
			return false
		}
	}
	return index > 0
}

func nodesOf(looks []Look) []*Node {
	nodes := make([]*Node, len(looks))
	for i, l := range looks {
		nodes[i] = l.Node
	}
	return nodes
}
