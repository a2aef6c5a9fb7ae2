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
}

// view is what a gate looked like.
type view struct {
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
	return view{g.deadline, g.changed}, nil
}

// wait returns when the gate has changed since the look, at its deadline, at the given time if that
// is not zero, or when other yields, which it reports.
func (v view) wait(at time.Time, other <-chan struct{}) bool {
	if !v.deadline.IsZero() && (at.IsZero() || v.deadline.Before(at)) {
		at = v.deadline
	}
	var due <-chan time.Time
	if !at.IsZero() {
		t := time.NewTimer(time.Until(at))
		defer t.Stop()
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
