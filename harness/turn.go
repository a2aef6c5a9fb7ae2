package harness

import "context"

// turn lets one in at a time. Unlike a mutex it may be held while a target is at
// work: the wait for it ends with a context, and virtual time sees it.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take blocks until it is the caller's turn, or ctx ends.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) pass() { <-t }
