package harness

import "time"

// The interval between two probes grows with the wait, so that what is waited for is seen
// at most a twentieth late: each probe costs the nodes time.
const (
	shortestInterval = time.Millisecond
	longestInterval  = time.Second
)

// poll is the timer of a wait that probes again and again.
type poll struct {
	begun time.Time
	timer *time.Timer
}

func newPoll() *poll { return &poll{time.Now(), time.NewTimer(shortestInterval)} }

// next yields when the next probe is due. Call it once for each probe.
func (p *poll) next() <-chan time.Time {
	p.timer.Reset(min(max(time.Since(p.begun)/20, shortestInterval), longestInterval))
	return p.timer.C
}

func (p *poll) stop() { p.timer.Stop() }
