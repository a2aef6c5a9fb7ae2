package harness

import (
	"context"
	"sync"

	"github.com/rejoin-db/rejoin/harness/journal"
)

// ExecuteOnRandom runs a request on one online node, chosen at random from the cluster's seed.
// The request is sent once: it is not retried. If no node is online the error is
// ErrNoNodesOnline, at once. The error of a node is a *NodeError.
func (c *Cluster) ExecuteOnRandom(ctx context.Context, sql string, args ...any) (_ Result, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave(&err)
	node, err := c.pick(ctx, nil)
	if err != nil {
		c.operation(ctx, journal.None, "", sql)(err)
		return Result{}, err
	}
	return node.Execute(ctx, sql, args...)
}

// ExecuteOnAll runs a request on all online nodes in parallel and returns the results of those
// that answered, in the order of the nodes. The error joins a *NodeError for each node that did
// not answer; if no node is online it is ErrNoNodesOnline.
func (c *Cluster) ExecuteOnAll(ctx context.Context, sql string, args ...any) (_ []Result, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave(&err)
	nodes := c.router.All(c.OnlineNodes())
	if len(nodes) == 0 {
		c.operation(ctx, journal.None, "", sql)(ErrNoNodesOnline)
		return nil, ErrNoNodesOnline
	}
	results := make([]Result, len(nodes))
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() { results[i], errs[i] = node.Execute(ctx, sql, args...) })
	}
	wg.Wait()
	var answered []Result
	for i := range nodes {
		if errs[i] == nil {
			answered = append(answered, results[i])
		}
	}
	return answered, join(errs...)
}
