package specs

import (
	"context"
	"time"
)

// backoff is the pause of a client between a refused request and the next.
type backoff struct{ timer *time.Timer }

const backoffTime = 5 * time.Millisecond

func newBackoff() backoff { return backoff{time.NewTimer(backoffTime)} }

func (b backoff) stop() { b.timer.Stop() }

// wait blocks for the pause, or until ctx ends.
func (b backoff) wait(ctx context.Context) {
	b.timer.Reset(backoffTime)
	select {
	case <-b.timer.C:
	case <-ctx.Done():
	}
}
