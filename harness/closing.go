package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrClosed is wrapped by every error of a cluster that is closed, or that is closed during
// the call. A request that was not sent has the outcome NotApplied.
var ErrClosed = errors.New("the cluster is closed")

// enter begins a call on the cluster: the ctx it returns also ends at Close, with ErrClosed as
// its cause. It is an error if the cluster is closed. The caller must call leave, which adds
// ErrClosed to the error if Close ended the call.
func (c *Cluster) enter(outer context.Context) (ctx context.Context, leave func(*error), err error) {
	ctx, cancel := context.WithCancelCause(outer)
	u := &underway{cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		cancel(ErrClosed)
		return nil, nil, &notAskedError{ErrClosed}
	}
	c.underway[u] = true
	return ctx, func(err *error) {
		c.mu.Lock()
		delete(c.underway, u)
		c.mu.Unlock()
		*err = closedMeanwhile(ctx, *err)
		cancel(context.Canceled)
	}, nil
}

// underway is a call in progress. The cluster has no context of its own that all calls share:
// a report may ask a cluster in virtual time from outside its bubble, and a channel must not be
// shared across bubbles.
type underway struct{ cancel context.CancelCauseFunc }

// endUnderway closes the cluster for later calls, and ends those in progress.
func (c *Cluster) endUnderway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for u := range c.underway {
		u.cancel(ErrClosed)
	}
}

func closedMeanwhile(ctx context.Context, err error) error {
	if err == nil || context.Cause(ctx) != ErrClosed || errors.Is(err, ErrClosed) {
		return err
	}
	return fmt.Errorf("%w (%w)", err, ErrClosed)
}

func (c *Cluster) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// boundRows are the rows of an answer that ends when the cluster closes.
type boundRows struct {
	target.Rows
	ctx   context.Context
	leave func(*error)
}

func (r *boundRows) Err() error { return closedMeanwhile(r.ctx, r.Rows.Err()) }

func (r *boundRows) Close() (err error) {
	defer r.leave(&err)
	return r.Rows.Close()
}
