package network

import (
	"os"
	"sync"
	"time"
)

// gate is the waiting point of the reader or the writer at one end of a connection. It ends a
// wait by a deadline, a close or a reset of this end.
//
// To miss no change, call look first, then check the awaited condition, then wait on the view.
// Waits use only channels and timers, so that virtual time can pass. A timer is never set for an
// event that would not be due when it fires.
type gate struct {
	mu       sync.Mutex
	deadline time.Time
	ended    error
	changed  chan struct{} // created by look, closed at the next change
	timer    *time.Timer   // spare timer, or nil while it is in use
}

// view is a snapshot of a gate.
type view struct {
	gate     *gate
	deadline time.Time
	changed  <-chan struct{}
}

// look returns a view of the gate, or an error if the gate has ended or its deadline has passed.
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

// wait returns when the gate has changed since look, at its deadline, at the given time if not
// zero, or when other yields. It returns whether other did.
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

// takeTimer reuses the spare timer, to avoid an allocation per message.
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

// end fails everything at the gate permanently. Only the first reason counts.
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

// setDeadline sets the deadline and returns why the gate has ended, or nil.
func (g *gate) setDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.deadline = t
	g.wakeLocked()
	return g.ended
}

// wake makes waiting calls check their condition again.
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
