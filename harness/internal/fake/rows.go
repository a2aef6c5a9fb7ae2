package fake

import (
	"errors"
	"strings"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Answer is the answer of a node to a statement.
type Answer struct {
	tables  []table
	changed bool
	err     error // after all results
	closing error
	open    atomic.Int64
}

type table struct {
	columns  []target.Column
	size     int
	row      func(int) []any
	affected int64
	counted  bool
}

// Table returns an answer with rows. Columns are separated by ", "; each is "name" or "name TYPE".
func Table(columns string, rows ...[]any) *Answer {
	return Stream(columns, len(rows), func(i int) []any { return rows[i] })
}

// Stream returns an answer with size rows, which are made as they are read.
func Stream(columns string, size int, row func(i int) []any) *Answer {
	t := table{size: size, row: row}
	for column := range strings.SplitSeq(columns, ", ") {
		name, kind, _ := strings.Cut(column, " ")
		if name != "" {
			t.columns = append(t.columns, target.Column{Name: name, Type: kind})
		}
	}
	return &Answer{tables: []table{t}}
}

// Change returns the answer to a change: no columns, and a number of affected rows.
func Change(affected int64) *Answer {
	return &Answer{changed: true, tables: []table{{affected: affected, counted: true}}}
}

// Nothing returns an answer without results.
func Nothing() *Answer { return &Answer{} }

// Both returns an answer with the results of both answers in order.
func Both(first, second *Answer) *Answer {
	return &Answer{changed: first.changed || second.changed, tables: append(append([]table(nil), first.tables...), second.tables...)}
}

// Breaking returns the answer with an error after its last row.
func (a *Answer) Breaking(err error) *Answer {
	return &Answer{tables: a.tables, changed: a.changed, err: err}
}

// FailingToClose returns the answer with an error of Close.
func (a *Answer) FailingToClose(err error) *Answer {
	return &Answer{tables: a.tables, changed: a.changed, closing: err}
}

// ThroughLog returns the answer as if the request went through the log.
func (a *Answer) ThroughLog() *Answer { return &Answer{tables: a.tables, changed: true} }

// Open returns how many times the answer was given and not closed.
func (a *Answer) Open() int64 { return a.open.Load() }

// Row returns a row for Table.
func Row(values ...any) []any { return values }

func (a *Answer) begin() *rows {
	a.open.Add(1)
	return &rows{answer: a}
}

// rows iterates over an answer.
type rows struct {
	answer *Answer
	result int // from 1
	number int // of the row, from 1
	closed bool
	row    []any
	raw    []byte
	err    error
}

func (r *rows) NextResult() bool {
	for r.Next() {
	}
	if r.result == len(r.answer.tables) || r.err != nil {
		r.err = r.answer.err
		return false
	}
	r.result++
	r.number = 0
	return true
}

func (r *rows) table() table { return r.answer.tables[r.result-1] }

func (r *rows) Columns() []target.Column {
	if r.result == 0 {
		return nil
	}
	return r.table().columns
}

func (r *rows) Next() bool {
	if r.result == 0 {
		return false
	}
	t := &r.answer.tables[r.result-1]
	if r.number == t.size {
		r.row, r.raw = nil, nil
		if r.result == len(r.answer.tables) {
			r.err = r.answer.err
		}
		return false
	}
	r.row = t.row(r.number)
	r.raw = target.AppendRow(r.raw[:0], r.row)
	r.number++
	return true
}

func (r *rows) Raw() []byte { return r.raw }

func (r *rows) Row() ([]any, error) {
	if r.row == nil {
		return nil, errors.New("there is no row")
	}
	return append([]any(nil), r.row...), nil
}

func (r *rows) Affected() (int64, bool) { return r.table().affected, r.table().counted }
func (r *rows) Changed() bool           { return r.answer.changed }
func (r *rows) Err() error              { return r.err }

func (r *rows) Close() error {
	if !r.closed {
		r.closed = true
		r.answer.open.Add(-1)
	}
	return r.answer.closing
}
