package network

import (
	"sync"
	"sync/atomic"
)

// link is the way from one host to another. The links of a host to itself are never cut.
type link struct {
	from, to string
	cut      atomic.Pointer[cut] // nil while the link is up, which is all that an untroubled connection looks at
	delay    atomic.Pointer[delay]
	dialed   atomic.Uint64 // connections opened in this direction

	mu       sync.Mutex
	deferred []func() // empty unless the link drops
}

// cut is one stretch of time in which a link is not up.
type cut struct {
	mode Mode
	over chan struct{} // closed when the link is mended or cut in another way
}

func (l *link) mode() Mode {
	if c := l.cut.Load(); c != nil {
		return c.mode
	}
	return Up
}

// set changes the mode, wakes whoever waits for the link, and then does what was deferred.
func (l *link) set(m Mode) {
	l.mu.Lock()
	old := l.cut.Load()
	var next *cut
	if m != Up {
		next = &cut{mode: m, over: make(chan struct{})}
	}
	var due []func()
	if m != l.mode() {
		l.cut.Store(next)
		if old != nil {
			close(old.over)
		}
		due, l.deferred = l.deferred, nil // nothing was deferred unless it dropped before
	}
	l.mu.Unlock()
	for _, f := range due {
		f()
	}
}

// once does f now, or as soon as the link no longer drops everything.
func (l *link) once(f func()) {
	l.mu.Lock()
	wait := l.mode() == Drop
	if wait {
		l.deferred = append(l.deferred, f)
	}
	l.mu.Unlock()
	if !wait {
		f()
	}
}
