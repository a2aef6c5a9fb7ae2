package virtual

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/rejoin-db/rejoin/harness/virtual/replay"
)

// job is one body to be run in a bubble, for a context outside of it.
type job struct {
	body   func(context.Context)
	outer  context.Context
	limits limits

	over chan outcome              // made outside, with room for all that may be sent
	cut  atomic.Pointer[cutReason] // set outside: the context inside is to end
	lost atomic.Bool               // set outside: nobody waits for it any more
}

type cutReason struct{ err error }

// outcome is how a job ended.
type outcome struct {
	panicked any
	goexit   bool
	hung     error // it has not ended
}

func newJob(outer context.Context, body func(context.Context), l limits) *job {
	return &job{body: body, outer: outer, limits: l, over: make(chan outcome, 2)}
}

// inBubble is the key under which the context of a job says that it is one.
type inBubble struct{}

// do runs the body with a context whose Done channel belongs to the bubble:
// one that was made outside would hold time still.
func (j *job) do(b *bubble, begun time.Time) {
	inner, cancel := context.WithCancelCause(context.WithValue(context.WithoutCancel(j.outer), inBubble{}, b))
	inner.Done() // made here and now
	stop := make(chan struct{})
	go j.watch(b, begun, cancel, stop)
	result := outcome{goexit: true}
	defer func() {
		if p := recover(); p != nil {
			result = outcome{panicked: withStack(p, debug.Stack())}
		}
		cancel(errOver)
		close(stop)
		replay.Settle() // what the next job meets must not depend on when it comes
		b.note(begun)
		j.over <- result
	}()
	j.body(inner)
	result.goexit = false
}

var errOver = errors.New("the node is over")

// The watch looks outside at growing intervals: soon for what is short, and
// seldom enough not to be felt in a day that passes in a second.
const (
	firstLook   = 10 * time.Millisecond
	longestWait = time.Second
	// parting is how much virtual time a body has to end once its context has.
	parting = time.Minute
)

// watch carries into the bubble what ends a job from outside, and limits how
// much virtual time it lets pass. Should the body not end all the same, it takes
// the worker's place, and so makes time stand still until there is more to do.
func (j *job) watch(b *bubble, begun time.Time, cancel context.CancelCauseFunc, stop <-chan struct{}) {
	started := time.Now()
	var cut time.Time
	var why error
	wait := firstLook
	again := time.NewTimer(wait)
	defer again.Stop()
	for {
		select {
		case <-stop:
			return
		case <-again.C:
		}
		b.note(begun)
		if j.lost.Load() {
			b.serve(begun)
			return
		}
		switch {
		case cut.IsZero():
			if why = j.reason(time.Since(started)); why != nil {
				cancel(why)
				cut = time.Now()
				wait = firstLook / 2
			}
		case time.Since(cut) > parting:
			j.over <- outcome{hung: fmt.Errorf("the node has not ended %v of virtual time after its context did (%w)", parting, why)}
			b.serve(begun)
			return
		}
		wait = min(2*wait, longestWait)
		again.Reset(wait)
	}
}

// reason is why the job must end, or nil.
func (j *job) reason(passed time.Duration) error {
	if reason := j.cut.Load(); reason != nil {
		return reason.err
	}
	if j.outer.Err() != nil {
		return context.Cause(j.outer)
	}
	if passed > j.limits.virtual {
		return fmt.Errorf("%w: a node let more than %v of virtual time pass", ErrLimit, j.limits.virtual)
	}
	return nil
}

// ErrLimit is the cause with which the context of a node ends that takes too
// long, by the real or by the virtual clock.
var ErrLimit = errors.New("time limit of a bubble")

// await blocks until the job is over, or cannot be waited for any longer.
func (j *job) await() outcome {
	real := time.NewTimer(j.limits.real)
	defer real.Stop()
	done := j.outer.Done()
	var late <-chan time.Time
	var why error
	for {
		select {
		case result := <-j.over:
			return result
		case <-done:
			done, why = nil, context.Cause(j.outer)
			late = time.After(j.limits.grace)
		case <-real.C:
			why = fmt.Errorf("%w: a node took more than %v of real time", ErrLimit, j.limits.real)
			j.cut.Store(&cutReason{why})
			late = time.After(j.limits.grace)
		case <-late:
			j.lost.Store(true)
			return outcome{hung: fmt.Errorf("the node has not ended %v of real time after its context did (%w)", j.limits.grace, why)}
		}
	}
}

// panicked is what a body panicked with, and where.
type panicked struct {
	value any
	stack []byte
}

// withStack keeps where a panic came from, but for the one by which Ginkgo ends
// a body that has already reported its failure.
func withStack(value any, stack []byte) any {
	if _, reported := value.(types.GinkgoError); reported {
		return value
	}
	return &panicked{value, stack}
}

func (p *panicked) Error() string {
	return fmt.Sprintf("%v\n\nin the bubble, at\n%s", p.value, p.stack)
}

func (p *panicked) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// resume ends the goroutine outside as the job ended inside.
func (o outcome) resume() {
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case o.goexit:
		runtime.Goexit()
	}
}
