// Package turn is a lock that may be held while something takes its time. Unlike a
// mutex it is waited for no longer than a context lasts, and virtual time sees the wait.
package turn

import "context"

// Turn lets one in at a time. It is safe for concurrent use.
type Turn chan struct{}

// New returns one that is free.
func New() Turn { return make(Turn, 1) }

// Take blocks until it is the caller's turn, or ctx ends: the error is why. Pass must
// follow where there is none.
func (t Turn) Take(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Seize takes it, however long that takes.
func (t Turn) Seize() { t <- struct{}{} }

// Pass lets the next one in.
func (t Turn) Pass() { <-t }
