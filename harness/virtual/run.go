package virtual

import (
	"context"
	"errors"
	"fmt"
)

// Run opens a bubble outside of Ginkgo, runs body in it, and closes it. The context of body ends with ctx and at the
// limits (RealLimit, Limit). body must not use channels and timers that were made outside. Run blocks until the bubble
// has ended or is abandoned. It returns an error if body panics or hangs, and a *LeakError if it leaves goroutines. Run
// is safe for concurrent use. The seed is 0 by default (Seed).
func Run(ctx context.Context, body func(ctx context.Context), options ...Option) error {
	if ctx.Value(inBubble{}) != nil {
		return errors.New("a bubble cannot be opened in a bubble")
	}
	s := settle(options)
	b := newBubble(s.schedule, s.decisions)
	j := newJob(ctx, body, s.limits)
	if err := b.submit(j); err != nil {
		return fmt.Errorf("%w; in it:\n%s", err, b.goroutines())
	}
	result := j.await()
	if result.hung != nil {
		result.hung = fmt.Errorf("%w; in the bubble:\n%s", result.hung, b.goroutines())
	}
	return errors.Join(result.err(), b.close())
}

// err returns the failure of a job; nil if there is none.
func (o outcome) err() error {
	switch {
	case o.panicked != nil:
		if err, is := o.panicked.(error); is {
			return fmt.Errorf("the body panicked: %w", err)
		}
		return fmt.Errorf("the body panicked: %v", o.panicked)
	case o.hung != nil:
		return o.hung
	case o.goexit:
		return errors.New("the body called runtime.Goexit")
	}
	return nil
}
