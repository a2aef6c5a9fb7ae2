package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ExecuteWithRetry runs a request on online nodes, one after the other by chance, until
// one of them answers it, as a careful application does. Every try has the same
// name, so that a database which knows names (target.Request.ID) applies the
// request once, though nobody knows what became of the tries before. It blocks
// until there is an answer, ctx ends or the cluster is closed; then the error joins why, and what the
// last try came to. An error that another try would meet again, such as one of
// the statement's own, is returned at once.
func (c *Cluster) ExecuteWithRetry(ctx context.Context, sql string, args ...any) (_ Result, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave(&err)
	id := c.requests.next()
	tried := make(map[int]bool)
	return retry(ctx, func() (Result, error) { return c.tryOnAnother(ctx, tried, id, sql, args) })
}

// ExecuteWithRetry runs a request on this node until the node answers it, in the way
// of Cluster.ExecuteWithRetry: every try has the same name, so the request is applied
// once.
func (n *Node) ExecuteWithRetry(ctx context.Context, sql string, args ...any) (_ Result, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave(&err)
	id := n.cluster.requests.next()
	return retry(ctx, func() (Result, error) { return n.try(ctx, id, sql, args) })
}

// retry tries until there is an answer that another try would not change, or ctx ends.
func retry(ctx context.Context, try func() (Result, error)) (Result, error) {
	poll := newPoll()
	defer poll.stop()
	inDoubt := false
	for {
		result, err := try()
		switch {
		case err == nil:
			return result, nil
		case !again(err) && !errors.Is(err, ErrClosed):
			return result, err
		}
		inDoubt = inDoubt || !errors.Is(err, ErrNoNodesOnline) && target.OutcomeOf(err) == target.Unknown
		if errors.Is(err, ErrClosed) {
			return Result{}, gaveUp(ErrClosed, err, inDoubt)
		}
		select {
		case <-poll.next():
		case <-ctx.Done():
			return Result{}, gaveUp(context.Cause(ctx), err, inDoubt)
		}
	}
}

// tryOnAnother tries a node that is not among those tried, until all have been.
func (c *Cluster) tryOnAnother(ctx context.Context, tried map[int]bool, id, sql string, args []any) (Result, error) {
	node, err := c.pick(ctx, tried)
	if err != nil {
		return Result{}, err
	}
	if tried[node.index] {
		clear(tried)
	}
	tried[node.index] = true
	return node.try(ctx, id, sql, args)
}

// try is one try of several by the same name.
func (n *Node) try(ctx context.Context, id, sql string, args []any) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, longestTry)
	defer cancel()
	return n.executeAs(ctx, id, sql, args)
}

// longestTry is how long one node is given to answer: a node may take a
// connection and never answer it.
const longestTry = 5 * time.Second

// again tells whether another try may succeed.
func again(err error) bool {
	var said *target.Error
	return errors.Is(err, ErrNoNodesOnline) || errors.As(err, &said) && said.Temporary
}

// gaveUp says whether any of the tries may have been applied.
func gaveUp(why, last error, inDoubt bool) error {
	outcome := target.NotApplied
	if inDoubt {
		outcome = target.Unknown
	}
	err := fmt.Errorf("tried until %w; the last try: %w", why, last)
	return &retriedError{err, &target.Error{Message: err.Error(), Outcome: outcome, Temporary: true}}
}

// retriedError has the outcome of all tries before that of the last.
type retriedError struct {
	err     error
	outcome *target.Error
}

func (e *retriedError) Error() string   { return e.err.Error() }
func (e *retriedError) Unwrap() []error { return []error{e.outcome, e.err} }
