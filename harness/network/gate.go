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
// timer is never set for something that its waiter would not then find due, unless the link was cut.
type gate struct {
	mu       sync.Mutex
	deadline time.Time
	ended    error
	changes  uint64        // so far
	changed  chan struct{} // closed at the next change; nil while nobody waits
	timer    *time.Timer   // at rest, for whoever waits next; nil if somebody has it

	// One who waits for a message to come can be told when it will be due, and need not run before.
	expecting *time.Timer // theirs; nil if nobody can be told
	until     time.Time   // when it fires; zero if it does not
	others    int         // who wait and cannot be told
}

// view is what a gate looked like.
type view struct {
	gate     *gate
	deadline time.Time
	changes  uint64
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
	return view{g, g.deadline, g.changes}, nil
}

// wait returns when the gate has changed since the look, at its deadline, at the given time if that
// is not zero, or when other yields, which it reports.
func (v view) wait(at time.Time, other <-chan struct{}) bool { return v.await(at, other, false) }

// expect is wait for one whom announce may tell when to look again.
func (v view) expect(at time.Time, other <-chan struct{}) { v.await(at, other, true) }

func (v view) await(at time.Time, other <-chan struct{}, tell bool) bool {
	if !v.deadline.IsZero() && (at.IsZero() || v.deadline.Before(at)) {
		at = v.deadline
	}
	changed, timer, told := v.enter(at, tell)
	if changed == nil {
		return false
	}
	defer v.gate.leave(timer, told)
	var due <-chan time.Time
	if timer != nil {
		due = timer.C
	}
	select {
	case <-other:
		return true
	case <-changed:
	case <-due:
	}
	return false
}

// enter begins a wait. It returns no channel if the gate has changed since the look.
func (v view) enter(at time.Time, tell bool) (changed <-chan struct{}, timer *time.Timer, told bool) {
	g := v.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.changes != v.changes {
		return nil, nil, false
	}
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	if told = tell && g.expecting == nil; !told {
		g.others++
	}
	if told || !at.IsZero() {
		timer = g.takeTimer(at)
	}
	if told {
		g.expecting, g.until = timer, at
	}
	return g.changed, timer, told
}

// takeTimer saves making a timer for every message. If at is zero the timer is at rest.
func (g *gate) takeTimer(at time.Time) *time.Timer {
	t := g.timer
	g.timer = nil
	switch {
	case t == nil && at.IsZero():
		t = time.NewTimer(time.Hour)
		t.Stop()
	case t == nil:
		t = time.NewTimer(time.Until(at))
	case !at.IsZero():
		t.Reset(time.Until(at))
	}
	return t
}

// leave ends a wait.
func (g *gate) leave(timer *time.Timer, told bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if timer != nil {
		timer.Stop()
		g.timer = timer
	}
	if told {
		g.expecting = nil
	} else {
		g.others--
	}
}

// announce says that the next message is here, and due at the given time.
func (g *gate) announce(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	left := time.Until(at)
	switch {
	case left <= 0 || g.expecting == nil || g.others > 0:
		g.wakeLocked()
	case g.until.IsZero() || at.Before(g.until):
		g.expecting.Reset(left)
		g.until = at
	}
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
	g.changes++
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}
