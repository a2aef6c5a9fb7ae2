package workload

import (
	"context"
	"math/rand/v2"
	"time"
)

// backOffTime is how long a client waits after it got no answer.
const backOffTime = 5 * time.Millisecond

// pace decides when a client invokes its next operation. It is for one goroutine.
type pace struct {
	every  time.Duration // 0 is as fast as possible
	random *rand.Rand
	timer  *time.Timer
}

func newPace(rate float64, random *rand.Rand) *pace {
	p := &pace{random: random, timer: time.NewTimer(0)}
	if rate > 0 {
		p.every = time.Duration(float64(time.Second) / rate)
	}
	return p
}

func (p *pace) stop() { p.timer.Stop() }

// wait blocks until the next operation is due, and tells whether it is: not if ctx ends first. The time between
// two operations varies by half, so that clients do not send all at once.
func (p *pace) wait(ctx context.Context) bool {
	if p.every > 0 {
		p.pause(ctx, p.every/2+time.Duration(p.random.Int64N(int64(p.every)+1)))
	}
	return ctx.Err() == nil
}

// backOff blocks for a moment after an operation without an answer, or until ctx ends.
func (p *pace) backOff(ctx context.Context) { p.pause(ctx, backOffTime) }

func (p *pace) pause(ctx context.Context, d time.Duration) {
	p.timer.Reset(d)
	select {
	case <-p.timer.C:
	case <-ctx.Done():
	}
}
