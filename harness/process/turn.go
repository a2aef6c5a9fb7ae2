package process

import "context"

// turn lets one at a time do something that takes time. Waiting for it ends with
// a context, which a mutex would not.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
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

// seize takes the turn for good.
func (t turn) seize() { t <- struct{}{} }

func (t turn) release() { <-t }
