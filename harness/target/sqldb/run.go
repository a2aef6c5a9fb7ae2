package sqldb

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// run is work with the driver in a goroutine of its own, which sends what it reads to the caller. The caller leaves it
// behind if the driver does not return after ctx has ended.
type run struct {
	db       *DB
	ctx      context.Context // ends with the caller's, with Timeout, or by DB.Close
	cancel   context.CancelCauseFunc
	limit    *time.Timer // ends ctx when a call of the driver takes too long
	events   chan event
	finished chan struct{}

	// decided is where the work can no longer be called off: the caller leaves it before, or it goes on.
	decided atomic.Int32

	// answered tells that a part of the answer was sent. Only the work uses it.
	answered bool

	// changed tells that the request changes data. Both fields are set before finished is closed.
	changed atomic.Bool
	err     *target.Error
}

// The values of run.decided.
const (
	open int32 = iota
	goesOn
	calledOff
)

// event is a part of an answer.
type event struct {
	kind     eventKind
	columns  []target.Column
	row      []any
	affected int64
	counted  bool
}

type eventKind int

const (
	beginResult eventKind = iota
	oneRow
	endResult
)

// start runs work, which ends with its error, in a goroutine that DB.Close ends and waits for.
func (d *DB) start(ctx context.Context, work func(*run) *target.Error) (*run, *target.Error) {
	r := &run{db: d, events: make(chan event), finished: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	leave, err := d.register(func() { r.cancel(errClosed) })
	if err != nil {
		r.cancel(nil)
		return nil, d.failure(err, target.NotApplied)
	}
	r.limit = time.AfterFunc(d.options.Timeout, func() { r.cancel(errSlow) })
	d.running.Go(func() {
		defer leave()
		r.err = work(r)
		r.limit.Stop()
		close(r.finished)
		r.cancel(nil)
	})
	return r, nil
}

// call makes one call of the driver.
func (r *run) call(do func() error) error {
	if r.ctx.Err() != nil {
		return r.ended(nil)
	}
	r.limit.Reset(r.db.options.Timeout)
	err := do()
	r.limit.Stop()
	if err != nil && r.ctx.Err() != nil {
		return r.ended(err)
	}
	return err
}

// endedError is the error of work that was ended.
type endedError struct{ why, err error }

func (e *endedError) Error() string {
	if e.err == nil || errors.Is(e.err, e.why) {
		return fmt.Sprintf("the request was ended: %v", e.why)
	}
	return fmt.Sprintf("the request was ended: %v: %v", e.why, e.err)
}

func (e *endedError) Unwrap() error { return e.why }

func (r *run) ended(err error) error { return &endedError{context.Cause(r.ctx), err} }

// goOn tells whether the work may go on to where its outcome is not certain: to commit, for instance.
func (r *run) goOn() error {
	if r.ctx.Err() == nil && (r.decided.Load() == goesOn || r.decided.CompareAndSwap(open, goesOn)) {
		return nil
	}
	return r.ended(nil)
}

// send hands an event to the caller.
func (r *run) send(e event) error {
	select {
	case r.events <- e:
		r.answered = true
		return nil
	case <-r.ctx.Done():
		return r.ended(nil)
	}
}

// receive returns the next event, or false if the work has finished or was left behind.
func (r *run) receive() (event, bool) {
	select {
	case e := <-r.events:
		return e, true
	case <-r.finished:
		return event{}, false
	case <-r.ctx.Done():
		return event{}, false
	}
}

// wait blocks until the work has finished or was left behind, and returns its error.
func (r *run) wait() *target.Error {
	select {
	case <-r.finished:
		return r.err
	case <-r.ctx.Done():
	}
	grace := time.NewTimer(r.db.options.Grace)
	defer grace.Stop()
	select {
	case <-r.finished:
		return r.err
	case <-grace.C:
	}
	select {
	case <-r.finished:
		return r.err
	default:
	}
	outcome := target.Unknown
	if r.decided.CompareAndSwap(open, calledOff) || r.decided.Load() == calledOff {
		outcome = target.NotApplied
	}
	why := context.Cause(r.ctx)
	return r.db.failure(fmt.Errorf("the driver did not return %v after its context had ended: %w", r.db.options.Grace, why), outcome)
}
