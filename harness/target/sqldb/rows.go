package sqldb

import (
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
)

// rows is the answer of a run.
type rows struct {
	run     *run
	drain   bool   // Close reads the rest: the connection must stay usable
	pending *event // received, not used yet
	columns []target.Column
	inside  bool // in a result
	row     []any
	raw     []byte
	counted event // the end of the last result
	over    bool
	err     error
	closed  bool
}

// first waits until the answer of a run begins.
func first(r *run) (*rows, *target.Error) {
	out := &rows{run: r}
	e, ok := r.receive()
	if ok {
		out.pending = &e
		return out, nil
	}
	if failed := r.wait(); failed != nil {
		return nil, failed
	}
	out.over = true
	return out, nil
}

// receive returns the next event of the run, or false at its end.
func (r *rows) receive() (e event, ok bool) {
	if r.pending != nil {
		e, r.pending = *r.pending, nil
		return e, true
	}
	if r.over {
		return event{}, false
	}
	if e, ok = r.run.receive(); ok {
		return e, true
	}
	r.over = true
	if failed := r.run.wait(); failed != nil {
		r.err = failed
	}
	return event{}, false
}

func (r *rows) NextResult() bool {
	for r.inside {
		r.Next()
	}
	e, ok := r.receive()
	if !ok {
		return false
	}
	r.columns, r.inside, r.counted = e.columns, true, event{}
	return true
}

func (r *rows) Next() bool {
	r.row, r.raw = nil, r.raw[:0]
	if !r.inside {
		return false
	}
	e, ok := r.receive()
	if ok && e.kind == oneRow {
		r.row = e.row
		return true
	}
	r.inside, r.counted = false, e
	return false
}

func (r *rows) Columns() []target.Column { return r.columns }

func (r *rows) Raw() []byte {
	if len(r.raw) == 0 {
		r.raw = target.AppendRow(r.raw, r.row)
	}
	return r.raw
}

var errNoRow = errors.New("there is no row")

func (r *rows) Row() ([]any, error) {
	if r.row == nil {
		return nil, errNoRow
	}
	return r.row, nil
}

func (r *rows) Affected() (int64, bool) { return r.counted.affected, r.counted.counted }
func (r *rows) Changed() bool           { return r.run.changed.Load() }
func (r *rows) Err() error              { return r.err }

var errAborted = errors.New("its answer was closed before its end")

func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	for r.drain && !r.over {
		r.receive()
	}
	r.run.cancel(errAborted)
	_ = r.run.wait() // the caller has what it wanted
	return nil
}
