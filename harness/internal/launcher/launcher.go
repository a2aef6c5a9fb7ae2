// Package launcher starts processes that end with this one.
package launcher

import "runtime"

// Launcher starts all processes from one OS thread: Linux kills a child that asked for it (PR_SET_PDEATHSIG) when the thread that
// started it ends, and the thread of a goroutine can end at any time. Its methods may be called from several goroutines.
type Launcher struct {
	work chan func()
	done chan struct{}
}

// New starts the thread. Close ends it.
func New() *Launcher {
	l := &Launcher{work: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for f := range l.work {
			f()
		}
	}()
	return l
}

// Run runs f on the thread, after what other callers run there, and returns its error.
func (l *Launcher) Run(f func() error) error {
	result := make(chan error, 1)
	l.work <- func() { result <- f() }
	return <-result
}

// Close gives the thread back. It must be called once, after every Run and after every process that was started has ended.
func (l *Launcher) Close() {
	close(l.work)
	<-l.done
}
