package launcher

import (
	"errors"
	"sync"
	"syscall"
	"testing"
)

func TestOneThread(t *testing.T) {
	l := New()
	defer l.Close()
	want, started := 0, errors.New("not started")
	if err := l.Run(func() error { want = syscall.Gettid(); return started }); err != started {
		t.Fatalf("Run returned %v, and its function %v", err, started)
	}
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			_ = l.Run(func() error {
				if got := syscall.Gettid(); got != want {
					t.Errorf("a function ran on the thread %d, and the first one on %d", got, want)
				}
				return nil
			})
		})
	}
	callers.Wait()
}
