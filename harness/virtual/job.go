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

// job is a body to run in a bubble for a context outside of it.
type job struct {
	body   func(context.Context)
	outer  context.Context
	limits limits

	over chan outcome              // made outside, with capacity for all results
	cut  atomic.Pointer[cutReason] // set outside to end the context inside
	lost atomic.Bool               // set outside when the caller has stopped waiting
}

type cutReason struct{ err error }

// outcome is the result of a job.
type outcome struct {
	panicked any
	goexit   bool
	hung     error // not nil if it has not ended
}

func newJob(outer context.Context, body func(context.Context), l limits) *job {
	return &job{body: body, outer: outer, limits: l, over: make(chan outcome, 2)}
}

// inBubble is the context key for the bubble of a job's context.
type inBubble struct{}

// do runs the body with a context whose Done channel is made in the bubble. Waiting on one made outside would stop
// virtual time.
func (j *job) do(b *bubble, begun time.Time) {
	inner, cancel := context.WithCancelCause(context.WithValue(context.WithoutCancel(j.outer), inBubble{}, b))
	inner.Done() // makes the channel, in the bubble
	stop := make(chan struct{})
	go j.watch(b, begun, cancel, stop)
	result := outcome{goexit: true}
	defer func() {
		if p := recover(); p != nil {
			result = outcome{panicked: withStack(p, debug.Stack())}
		}
		cancel(errOver)
		close(stop)
		replay.Settle() // the state that the next job meets must not depend on when it arrives
		b.note(begun)
		j.over <- result
	}()
	j.body(inner)
	result.goexit = false
}

var errOver = errors.New("the Ginkgo node has ended")

// watch polls in growing intervals: quickly for short bodies, and rarely enough to cost little in a day that passes in a
// second.
const (
	firstLook   = 10 * time.Millisecond
	longestWait = time.Second
	// parting is the virtual time that a body has to end after its context has ended.
	parting = time.Minute
)

// watch ends the body's context when the job must end, and limits its virtual time. If the body does not end even then,
// watch takes over the worker's role, so that virtual time stops until the next job.
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
			hung := fmt.Errorf("the node has not ended %v of virtual time after its context ended (%w)", parting, why)
			j.over <- outcome{hung: hung}
			b.serve(begun)
			return
		}
		wait = min(2*wait, longestWait)
		again.Reset(wait)
	}
}

// reason returns why the job must end; nil if it need not.
func (j *job) reason(passed time.Duration) error {
	if reason := j.cut.Load(); reason != nil {
		return reason.err
	}
	if j.outer.Err() != nil {
		return context.Cause(j.outer)
	}
	if passed > j.limits.virtual {
		return fmt.Errorf("%w: a node took more than %v of virtual time", ErrLimit, j.limits.virtual)
	}
	return nil
}

// ErrLimit is the cause of the end of a node's context if the node exceeds a limit of real or virtual time.
var ErrLimit = errors.New("time limit of a bubble")

// await blocks until the job has ended, or is abandoned.
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
			return outcome{hung: fmt.Errorf("the node has not ended %v of real time after its context ended (%w)", j.limits.grace, why)}
		}
	}
}

// panicked is the value and the stack of a panic of a body.
type panicked struct {
	value any
	stack []byte
}

// withStack adds the stack to a panic value, except for the panic with which Ginkgo ends a body that has already
// reported its failure.
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

// resume ends the goroutine outside in the same way as the job ended inside.
func (o outcome) resume() {
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case o.goexit:
		runtime.Goexit()
	}
}
