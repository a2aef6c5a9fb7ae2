package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ExecuteWithRetry sends a request to online nodes, one after the other in random order, until
// one of them answers it. All attempts have one name, so that a database that deduplicates
// requests (target.Request.ID) applies the request once, even if the outcome of an earlier
// attempt is unknown. It blocks until there is an answer, ctx ends or the cluster is closed;
// the error then joins the reason and the error of the last attempt. An error that another
// attempt would meet again, such as a syntax error, is returned at once.
func (c *Cluster) ExecuteWithRetry(ctx context.Context, sql string, args ...any) (_ Result, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave(&err)
	id := c.requests.next()
	tried := make(map[int]bool)
	return c.retry(ctx, func() (Result, error) { return c.attemptOnNext(ctx, tried, id, sql, args) })
}

// ExecuteWithRetry sends a request to this node until the node answers it, as
// Cluster.ExecuteWithRetry does: all attempts have one name, so the request is applied once.
func (n *Node) ExecuteWithRetry(ctx context.Context, sql string, args ...any) (_ Result, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return Result{}, err
	}
	defer leave(&err)
	id := n.cluster.requests.next()
	return n.cluster.retry(ctx, func() (Result, error) { return n.attempt(ctx, id, sql, args) })
}

// retry repeats the attempt until its answer is final, or ctx ends.
func (c *Cluster) retry(ctx context.Context, attempt func() (Result, error)) (Result, error) {
	poll := newPoll()
	defer poll.stop()
	inDoubt := false
	for {
		result, err := attempt()
		switch {
		case err == nil:
			return result, nil
		case !temporary(err) && !errors.Is(err, ErrClosed):
			if inDoubt && !c.Can(target.Dedup) { // an earlier attempt may have been applied, and be why this one fails
				err = &retriedError{err, &target.Error{Message: err.Error(), Outcome: target.Unknown}}
			}
			return result, err
		}
		inDoubt = inDoubt || !errors.Is(err, ErrNoNodesOnline) && target.OutcomeOf(err) == target.Unknown
		if errors.Is(err, ErrClosed) {
			return Result{}, c.gaveUp(ErrClosed, err, inDoubt)
		}
		select {
		case <-poll.next():
		case <-ctx.Done():
			return Result{}, c.gaveUp(context.Cause(ctx), err, inDoubt)
		}
	}
}

// attemptOnNext sends the request to a node that was not tried yet; to any once all were.
func (c *Cluster) attemptOnNext(ctx context.Context, tried map[int]bool, id, sql string, args []any) (Result, error) {
	node, err := c.pick(ctx, tried)
	if err != nil {
		return Result{}, err
	}
	if tried[node.index] {
		clear(tried)
	}
	tried[node.index] = true
	return node.attempt(ctx, id, sql, args)
}

// attempt sends the request once.
func (n *Node) attempt(ctx context.Context, id, sql string, args []any) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return n.executeAs(ctx, id, sql, args)
}

// attemptTimeout bounds one attempt: a node may accept a connection and never answer.
const attemptTimeout = 5 * time.Second

// temporary tells whether another attempt may succeed.
func temporary(err error) bool {
	var said *target.Error
	return errors.Is(err, ErrNoNodesOnline) || errors.As(err, &said) && said.Temporary
}

// gaveUp is the error of all attempts: its outcome is unknown if that of any attempt is.
func (c *Cluster) gaveUp(why, last error, inDoubt bool) error {
	outcome := target.NotApplied
	if inDoubt {
		outcome = target.Unknown
	}
	reason := ""
	if missing := missingQuorum(c.voters()); missing != "" && !errors.Is(why, ErrClosed) {
		reason = " (" + missing + ")"
	}
	err := fmt.Errorf("gave up retrying%s: %w; the last attempt: %w", reason, why, last)
	return &retriedError{err, &target.Error{Message: err.Error(), Outcome: outcome, Temporary: true}}
}

// retriedError has the outcome of all attempts, and not that of the last one alone.
type retriedError struct {
	err     error
	outcome *target.Error
}

func (e *retriedError) Error() string   { return e.err.Error() }
func (e *retriedError) Unwrap() []error { return []error{e.outcome, e.err} }
