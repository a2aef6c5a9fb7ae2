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

// settling returns a ctx that ends after Settling if it has no deadline of its own.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, Settling,
		fmt.Errorf("%w: the context has no deadline, so the wait is limited to %v", context.DeadlineExceeded, Settling))
}

// settle blocks until each node has applied what any of them knew to be committed at the call,
// and returns what they showed then. It leaves out a node that is taken offline or removed
// meanwhile. The error joins a *WaitError for each node that does not catch up before ctx ends.
func (c *Cluster) settle(ctx context.Context, nodes []*Node) ([]Observation, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	observed, index := c.observeCommitted(ctx, nodes)
	errs := make([]error, len(observed))
	var wg sync.WaitGroup
	for i := range observed {
		wg.Go(func() {
			observed[i], errs[i] = c.awaitApplied(ctx, observed[i], index, "to apply what is committed before nodes are compared")
		})
	}
	wg.Wait()
	var settled []Observation
	for _, o := range observed {
		if o.runs() {
			settled = append(settled, o)
		}
	}
	return settled, join(errs...)
}

// observeCommitted observes the nodes until one knows a committed log index. It does not
// wait for nodes that report no indexes at all, nor for nodes that are silent.
func (c *Cluster) observeCommitted(ctx context.Context, nodes []*Node) (observed []Observation, index uint64) {
	poll := newPoll()
	defer poll.stop()
	for begun := time.Now(); ; {
		observed = observeNodes(ctx, nodes, probeTimeout)
		index, _ = committed(observed)
		if index > 0 || !c.indexed.Load() || time.Since(begun) > longestSilence {
			return observed, index
		}
		select {
		case <-poll.next():
		case <-ctx.Done():
			return observed, index
		}
	}
}

// awaitApplied blocks until the node has applied the index, and returns the observation
// that showed it. It begins with what was seen before. It does not wait for a node that is
// taken offline or removed: the observation then shows target.Offline.
func (c *Cluster) awaitApplied(ctx context.Context, seen Observation, index uint64, purpose string) (Observation, error) {
	node, begun := seen.Node, time.Now()
	failure := &WaitError{Node: node.index, ID: node.ID(), Target: index, Purpose: purpose}
	poll := newPoll()
	defer poll.stop()
	for heard := begun; ; {
		up, err := c.IsNodeOnline(node.index)
		if failure.Flag = up; err != nil || !up {
			return Observation{Node: node, Status: target.Status{State: target.Offline}}, nil
		}
		if seen.Err == nil {
			heard = time.Now()
		}
		failure.probed(seen.Status, seen.Err, ctx.Err() != nil)
		switch {
		case seen.Err != nil && time.Since(heard) > longestSilence:
			failure.Err = ErrUnreachable
		case seen.Err == nil && seen.Status.State == target.Failed:
			failure.Err = ErrFailed
		case seen.runs() && seen.Status.AppliedIndex >= index:
			return seen, nil
		}
		if failure.Err == nil {
			select {
			case <-poll.next():
				seen.Status, seen.Err = node.probe(ctx)
				continue
			case <-ctx.Done():
				failure.Err = context.Cause(ctx)
			}
		}
		failure.Waited = time.Since(begun)
		return seen, c.waitFailed(node, failure)
	}
}

// sameIndex tells whether two observations, before and after a comparison, prove that all nodes
// were at one and the same log index in between.
func sameIndex(before, after []Observation) bool {
	index := before[0].Status.AppliedIndex
	for i := range before {
		if after[i].Err != nil || before[i].Status.AppliedIndex != index || after[i].Status.AppliedIndex != index {
			return false
		}
	}
	return index > 0
}

func nodesOf(observed []Observation) []*Node {
	nodes := make([]*Node, len(observed))
	for i, o := range observed {
		nodes[i] = o.Node
	}
	return nodes
}
