package virtual

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rejoin-db/rejoin/harness/internal/inbubble"
	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// bubble is one synctest bubble with a worker in it, which does one job at a
// time. What is made outside and is waited for inside holds virtual time still;
// what is made inside must not be touched from outside. So each field says where
// it is made.
type bubble struct {
	begun    time.Time // real
	schedule replay.Schedule

	decisions string // folder; empty for none

	work chan *job     // made outside: between two jobs time stands still
	over chan struct{} // made outside, closed when nothing is left in the bubble, or the end has failed
	err  error         // what was wrong then

	recording *replay.Recording // of its decisions; stopped before over is closed

	id       atomic.Int64 // as goroutine dumps have it
	virtual  atomic.Int64 // virtual nanoseconds that have passed, when last looked at
	closing  sync.Once
	finished chan struct{} // made inside, closed when all work is done
	finish   sync.Once
}

// newBubble returns when the bubble is there.
func newBubble(schedule replay.Schedule, decisions string) *bubble {
	b := &bubble{begun: time.Now(), schedule: schedule, decisions: decisions, work: make(chan *job), over: make(chan struct{})}
	ready := make(chan struct{})
	go func() {
		defer close(b.over)
		b.err = errRace // all that fails a T which nobody has
		defer func() {
			if p := recover(); p != nil {
				b.err = b.leaked(p)
			}
		}()
		// A T of its own: Ginkgo has none to give while it builds its tree. It is
		// never asked for anything but to hold the bubble.
		synctest.Test(new(testing.T), func(*testing.T) { b.inside(ready) })
		b.err = nil
	}()
	<-ready
	return b
}

// aftermath is how much virtual time what is left at the end has to come to its own end.
const aftermath = 5 * time.Second

func (b *bubble) inside(ready chan<- struct{}) {
	replay.Begin(b.schedule)
	if b.decisions != "" {
		b.recording = replay.Record()
		defer b.recording.Stop()
	}
	begun := time.Now()
	b.id.Store(inbubble.Own())
	b.finished = make(chan struct{})
	go b.serve(begun)
	close(ready)
	<-b.finished
	b.note(begun)
	time.Sleep(aftermath)
}

// writeDecisions writes what was recorded of the bubble's decisions, if that was asked for.
func (b *bubble) writeDecisions() error {
	if b.recording == nil {
		return nil
	}
	return b.recording.WriteFile(filepath.Join(b.decisions, fmt.Sprintf("%016x.txt.gz", b.schedule.Seed)))
}

var errRace = errors.New("the race detector found a data race in the bubble; it has printed where")

func (b *bubble) note(begun time.Time) { b.virtual.Store(int64(time.Since(begun))) }

// serve does jobs until there are no more.
func (b *bubble) serve(begun time.Time) {
	orderly := false
	defer func() {
		if !orderly { // the job ended its goroutine
			go b.serve(begun)
		}
	}()
	for j := range b.work {
		j.do(b, begun)
	}
	orderly = true
	b.finish.Do(func() { close(b.finished) })
}

// patience is how much real time is given to what should take next to none.
const patience = 5 * time.Second

// submit gives the worker a job. It fails if the worker does not come for it.
func (b *bubble) submit(j *job) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case b.work <- j:
		return nil
	case <-b.over:
		return fmt.Errorf("the bubble is gone: %w", b.err)
	case <-late.C:
		return errors.New("the bubble is stuck, nothing can run in it any more")
	}
}

// close ends the bubble and says what was left in it.
func (b *bubble) close() error {
	b.closing.Do(func() { close(b.work) })
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-b.over:
		return errors.Join(b.err, b.writeDecisions())
	case <-late.C:
		return fmt.Errorf("the bubble does not come to its end within %v of real time:\n%s", patience, b.goroutines())
	}
}

// leaked explains a panic of synctest at the end of a bubble.
func (b *bubble) leaked(p any) error {
	err, is := p.(error)
	if _, runtimes := p.(runtime.Error); !is || runtimes {
		return fmt.Errorf("the bubble panicked: %v", p)
	}
	return &LeakError{Reason: err.Error(), Goroutines: b.goroutines()}
}

// LeakError says that goroutines were left in a bubble when its spec was over.
type LeakError struct {
	Reason     string // synctest's
	Goroutines Goroutines
}

func (e *LeakError) Error() string {
	were := fmt.Sprintf("%d goroutines were", len(e.Goroutines))
	if len(e.Goroutines) == 1 {
		were = "1 goroutine was"
	}
	return fmt.Sprintf("%s left in the bubble when its spec was over (%s):\n%s", were, e.Reason, e.Goroutines)
}

func (b *bubble) goroutines() Goroutines { return goroutinesOf(b.id.Load()) }
