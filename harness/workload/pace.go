package workload

import (
	"context"
	"math/rand/v2"
	"time"
)

// backOffTime is how long a client that was refused waits before it asks again.
const backOffTime = 5 * time.Millisecond

// pace is when a client does its next operation. It is for one goroutine.
type pace struct {
	every  time.Duration // 0 is flat out
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

// wait blocks until it is time, and tells whether it is: not if ctx ends before. What
// one client waits between two operations is as much as half off, so that clients do
// not all ask at once.
func (p *pace) wait(ctx context.Context) bool {
	if p.every > 0 {
		p.pause(ctx, p.every/2+time.Duration(p.random.Int64N(int64(p.every)+1)))
	}
	return ctx.Err() == nil
}

// backOff blocks for a moment, as clients do that were refused, or until ctx ends.
func (p *pace) backOff(ctx context.Context) { p.pause(ctx, backOffTime) }

func (p *pace) pause(ctx context.Context, d time.Duration) {
	p.timer.Reset(d)
	select {
	case <-p.timer.C:
	case <-ctx.Done():
	}
}
