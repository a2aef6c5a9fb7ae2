package hosts

import "runtime"

// launcher starts all agents from one OS thread: Linux kills an agent when the thread that started it ends, and the thread of
// a goroutine can end at any time.
type launcher struct {
	work chan func()
	done chan struct{}
}

func newLauncher() *launcher {
	l := &launcher{work: make(chan func()), done: make(chan struct{})}
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

func (l *launcher) run(f func() error) error {
	result := make(chan error, 1)
	l.work <- func() { result <- f() }
	return <-result
}

// close must be called after every agent has ended, and after every run.
func (l *launcher) close() {
	close(l.work)
	<-l.done
}
