// Package lifetime ends the calls in progress of what is closed, such as a cluster, and closes it once.
package lifetime

import (
	"context"
	"sync"
)

// Lifetime lasts until Close. Its methods are safe for concurrent use.
type Lifetime struct {
	cause   error
	ctx     context.Context
	end     context.CancelCauseFunc
	closing sync.Once
	closed  error
}

// New returns a lifetime whose contexts end with that cause.
func New(cause error) *Lifetime {
	l := &Lifetime{cause: cause}
	l.ctx, l.end = context.WithCancelCause(context.Background())
	return l
}

// Context ends when Close begins, with the cause.
func (l *Lifetime) Context() context.Context { return l.ctx }

// Bound returns a context that also ends when Close begins, with the cause. The function that it returns releases it, and must be
// called.
func (l *Lifetime) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(l.ctx, func() { cancel(context.Cause(l.ctx)) })
	return ctx, func() {
		stop()
		cancel(context.Canceled)
	}
}

// Lock is a lock that can be waited for, such as a ctxmutex.Mutex.
type Lock interface {
	Lock(ctx context.Context) error
	Unlock()
}

// Locked locks until the function that it returns is called, and returns a context as Bound does. The error is that of Lock.
func (l *Lifetime) Locked(outer context.Context, lock Lock) (ctx context.Context, unlock func(), err error) {
	ctx, cancel := l.Bound(outer)
	if err := lock.Lock(ctx); err != nil {
		cancel()
		return nil, nil, err
	}
	return ctx, func() { lock.Unlock(); cancel() }, nil
}

// Close ends the contexts and calls what, once. It blocks until what has returned, and returns its error, in every call.
func (l *Lifetime) Close(what func() error) error {
	l.closing.Do(func() {
		l.end(l.cause)
		l.closed = what()
	})
	return l.closed
}
