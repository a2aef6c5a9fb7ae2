package network

import (
	"os"
	"sync"
	"time"
)

// gate is where the reader or the writer at one end of a connection waits, and what may end that
// wait from this end: a deadline, a close, a reset.
//
// To wait without missing anything, look at the gate first, then at whatever is waited for, then
// wait on the view. Waits are on channels and timers only, so that a bubble's time can pass, and a
// timer is never set for something that its waiter would not then find due.
type gate struct {
	mu       sync.Mutex
	deadline time.Time
	ended    error
	changed  chan struct{} // made by the first who looks, closed at the next change
	timer    *time.Timer   // at rest, for whoever waits next; nil if somebody has it
}

// view is what a gate looked like.
type view struct {
	gate     *gate
	deadline time.Time
	changed  <-chan struct{}
}

// look fails if nothing may pass any more, or not before the deadline is moved.
func (g *gate) look() (view, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended != nil {
		return view{}, g.ended
	}
	if !g.deadline.IsZero() && !time.Now().Before(g.deadline) {
		return view{}, os.ErrDeadlineExceeded
	}
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return view{g, g.deadline, g.changed}, nil
}

// wait returns when the gate has changed since the look, at its deadline, at the given time if that
// is not zero, or when other yields, which it reports.
func (v view) wait(at time.Time, other <-chan struct{}) bool {
	if !v.deadline.IsZero() && (at.IsZero() || v.deadline.Before(at)) {
		at = v.deadline
	}
	var due <-chan time.Time
	if !at.IsZero() {
		t := v.gate.takeTimer(time.Until(at))
		defer v.gate.putTimer(t)
		due = t.C
	}
	select {
	case <-other:
		return true
	case <-v.changed:
	case <-due:
	}
	return false
}

// takeTimer saves making a timer for every message.
func (g *gate) takeTimer(d time.Duration) *time.Timer {
	g.mu.Lock()
	t := g.timer
	g.timer = nil
	g.mu.Unlock()
	if t == nil {
		return time.NewTimer(d)
	}
	t.Reset(d)
	return t
}

func (g *gate) putTimer(t *time.Timer) {
	t.Stop()
	g.mu.Lock()
	g.timer = t
	g.mu.Unlock()
}

// end stops everything at the gate for good. Only the first reason counts.
func (g *gate) end(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended == nil {
		g.ended = err
		g.wakeLocked()
	}
}

func (g *gate) ending() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.ended
}

// setDeadline returns why the gate has ended, if it has.
func (g *gate) setDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deadline = t
	g.wakeLocked()
	return g.ended
}

// wake makes whoever waits look again.
func (g *gate) wake() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wakeLocked()
}

func (g *gate) wakeLocked() {
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}
