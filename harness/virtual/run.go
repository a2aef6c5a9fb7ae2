package virtual

import (
	"context"
	"errors"
	"fmt"
)

// Run opens a bubble outside of Ginkgo, runs the body in it, and closes it. The
// body's context ends with ctx, or with the limits; what was made outside must not
// be touched within. It blocks until the bubble is gone, or is given up. The error
// is what was wrong: a panic, a body that hangs, a *LeakError for goroutines that
// were left. Several may run at once. The bubble's seed is 0, unless Seed says another.
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

// err is what was wrong with how a job ended, or nil.
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
		return errors.New("the body ended its goroutine and did not return")
	}
	return nil
}
