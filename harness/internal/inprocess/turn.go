package inprocess

import "context"

// turn is a lock that may be held for long, and waited for as long as a context
// lasts. In virtual time it is waited for without holding time still.
type turn chan struct{}

func newTurn() turn {
	t := make(turn, 1)
	t <- struct{}{}
	return t
}

func (t turn) take(ctx context.Context) (done func(), err error) {
	select {
	case <-t:
		return t.give, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (t turn) give() { t <- struct{}{} }

// mustTake waits as long as it takes.
func (t turn) mustTake() { <-t }
