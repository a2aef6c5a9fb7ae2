package specs

import (
	"context"
	"time"
)

// backoff is the pause of a client between two requests.
type backoff struct{ timer *time.Timer }

// backoffTime is the pause after a refused request.
const backoffTime = 5 * time.Millisecond

func newBackoff() backoff { return backoff{time.NewTimer(backoffTime)} }

func (b backoff) stop() { b.timer.Stop() }

// wait blocks for the pause, or until ctx ends.
func (b backoff) wait(ctx context.Context, pause time.Duration) {
	if pause == 0 {
		return
	}
	b.timer.Reset(pause)
	select {
	case <-b.timer.C:
	case <-ctx.Done():
	}
}
