package specs

import (
	"context"
	"time"
)

// backoff is how long a client that was refused waits before it asks again.
type backoff struct{ timer *time.Timer }

const backoffTime = 5 * time.Millisecond

func newBackoff() backoff { return backoff{time.NewTimer(backoffTime)} }

func (b backoff) stop() { b.timer.Stop() }

// wait blocks for that time, or until ctx ends.
func (b backoff) wait(ctx context.Context) {
	b.timer.Reset(backoffTime)
	select {
	case <-b.timer.C:
	case <-ctx.Done():
	}
}
