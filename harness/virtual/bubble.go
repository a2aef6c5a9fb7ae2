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

// bubble is one synctest bubble with a worker in it, which runs one job at a time. A wait inside the bubble for
// something that was made outside stops virtual time; something that was made inside must not be touched from outside.
// So each field says where it is made.
type bubble struct {
	begun    time.Time // by the real clock
	schedule replay.Schedule

	decisions string // folder; empty for none

	work chan *job     // made outside: virtual time stops between two jobs
	over chan struct{} // made outside; closed when the bubble has ended, or its end has failed
	err  error         // why the end failed; valid once over is closed

	recording *replay.Recording // of scheduling decisions; stopped before over is closed

	id       atomic.Int64 // number of the bubble in goroutine dumps
	virtual  atomic.Int64 // virtual nanoseconds so far, at the last update
	closing  sync.Once
	finished chan struct{} // made inside; closed when all jobs are done
	finish   sync.Once
}

// newBubble starts a bubble and returns when it is ready.
func newBubble(schedule replay.Schedule, decisions string) *bubble {
	b := &bubble{
		begun: time.Now(), schedule: schedule, decisions: decisions, work: make(chan *job), over: make(chan struct{}),
	}
	ready := make(chan struct{})
	go func() {
		defer close(b.over)
		b.err = errRace // only the race detector can fail this T
		defer func() {
			if p := recover(); p != nil {
				b.err = b.leaked(p)
			}
		}()
		// A new T: Ginkgo has none while it builds its tree. It only serves to hold the bubble.
		synctest.Test(new(testing.T), func(*testing.T) { b.inside(ready) })
		b.err = nil
	}()
	<-ready
	return b
}

// aftermath is the virtual time that remaining goroutines have at the end of a bubble to end by themselves.
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

// writeDecisions writes the recorded decisions to the folder, if they were recorded.
func (b *bubble) writeDecisions() error {
	if b.recording == nil {
		return nil
	}
	return b.recording.WriteFile(filepath.Join(b.decisions, fmt.Sprintf("%016x.txt.gz", b.schedule.Seed)))
}

var errRace = errors.New("the race detector found a data race in the bubble and has printed it")

func (b *bubble) note(begun time.Time) { b.virtual.Store(int64(time.Since(begun))) }

// serve runs jobs until there are no more.
func (b *bubble) serve(begun time.Time) {
	orderly := false
	defer func() {
		if !orderly { // a job called runtime.Goexit
			go b.serve(begun)
		}
	}()
	for j := range b.work {
		j.do(b, begun)
	}
	orderly = true
	b.finish.Do(func() { close(b.finished) })
}

// patience is the real time that a bubble has for steps that normally take almost none.
const patience = 5 * time.Second

// submit passes a job to the worker. It fails if the worker does not take it.
func (b *bubble) submit(j *job) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case b.work <- j:
		return nil
	case <-b.over:
		return fmt.Errorf("the bubble has ended: %w", b.err)
	case <-late.C:
		return errors.New("the bubble is stuck: its worker takes no jobs")
	}
}

// close ends the bubble. The error is a *LeakError if goroutines are left in it.
func (b *bubble) close() error {
	b.closing.Do(func() { close(b.work) })
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-b.over:
		return errors.Join(b.err, b.writeDecisions())
	case <-late.C:
		return fmt.Errorf("the bubble has not ended after %v of real time:\n%s", patience, b.goroutines())
	}
}

// leaked converts a panic of synctest at the end of a bubble.
func (b *bubble) leaked(p any) error {
	err, is := p.(error)
	if _, runtimes := p.(runtime.Error); !is || runtimes {
		return fmt.Errorf("the bubble panicked: %v", p)
	}
	return &LeakError{Reason: err.Error(), Goroutines: b.goroutines()}
}

// LeakError reports goroutines that were left in a bubble when its spec ended.
type LeakError struct {
	Reason     string     // the message of synctest
	Goroutines Goroutines // the goroutines that were left
}

func (e *LeakError) Error() string {
	were := fmt.Sprintf("%d goroutines were", len(e.Goroutines))
	if len(e.Goroutines) == 1 {
		were = "1 goroutine was"
	}
	return fmt.Sprintf("%s left in the bubble when its spec ended (%s):\n%s", were, e.Reason, e.Goroutines)
}

func (b *bubble) goroutines() Goroutines { return goroutinesOf(b.id.Load()) }
