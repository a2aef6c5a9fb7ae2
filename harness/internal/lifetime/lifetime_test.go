package lifetime

import (
	"context"
	"errors"
	"testing"

	"github.com/rejoin-db/rejoin/harness/internal/ctxmutex"
)

var errOver, errWhat = errors.New("over"), errors.New("what")

func TestClose(t *testing.T) {
	l := New(errOver)
	ctx, release := l.Bound(t.Context())
	defer release()
	lock := ctxmutex.New()
	_, unlock, err := l.Locked(t.Context(), lock)
	if err != nil || ctx.Err() != nil {
		t.Fatalf("before Close, a lock answers %v and a context %v", err, ctx.Err())
	}
	waited := make(chan error)
	go func() {
		_, _, err := l.Locked(context.Background(), lock)
		waited <- err
	}()
	calls, begun, goOn := 0, make(chan struct{}), make(chan struct{})
	closed := make(chan error)
	for range 3 {
		go func() { closed <- l.Close(func() error { calls++; close(begun); <-goOn; return errWhat }) }()
	}
	if err := <-waited; err != errOver {
		t.Errorf("a wait for a lock ended with %v", err)
	}
	if <-ctx.Done(); context.Cause(ctx) != errOver || context.Cause(l.Context()) != errOver {
		t.Errorf("contexts ended with %v and %v", context.Cause(ctx), context.Cause(l.Context()))
	}
	<-begun
	select {
	case err := <-closed:
		t.Errorf("a Close returned %v before the end", err)
	default:
	}
	close(goOn)
	for range 3 {
		if err := <-closed; err != errWhat {
			t.Errorf("a Close returned %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("it was closed %d times", calls)
	}
	unlock()
	if err := lock.Lock(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRelease(t *testing.T) {
	l := New(errOver)
	ctx, release := l.Bound(t.Context())
	release()
	if context.Cause(ctx) != context.Canceled || l.Context().Err() != nil {
		t.Errorf("a released context ended with %v", context.Cause(ctx))
	}
}
