// Package ctxmutex has a lock that may be held across I/O. A caller waits for it no longer than a
// context lasts, and virtual time sees the wait.
package ctxmutex

import "context"

// Mutex admits one holder at a time. It is safe for concurrent use.
type Mutex chan struct{}

// New returns an unlocked Mutex.
func New() Mutex { return make(Mutex, 1) }

// Lock blocks until the caller holds the lock, or ctx ends; the error is the cause of that. After
// success Unlock must follow.
func (m Mutex) Lock(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case m <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// LockNow blocks until the caller holds the lock, without a limit.
func (m Mutex) LockNow() { m <- struct{}{} }

// Unlock releases the lock.
func (m Mutex) Unlock() { <-m }
