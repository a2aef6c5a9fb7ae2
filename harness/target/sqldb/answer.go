package sqldb

import (
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Answer is a whole answer.
type Answer struct {
	Results []Result
	changed bool
}

// Result is the answer to one statement.
type Result struct {
	Columns  []target.Column
	Rows     [][]any // of exact values: nil, int64, float64, string or []byte
	Affected int64
	Counted  bool // whether Affected is known
}

// Rows iterates over the answer to a request; changed tells whether the request changed data.
func (a *Answer) Rows(changed bool) target.Rows { return &held{answer: *a, changed: changed, at: -1} }

// held are the rows of an answer in memory.
type held struct {
	answer  Answer
	changed bool
	at, row int // the result from 0, and the row from 1
}

func (h *held) NextResult() bool {
	h.at, h.row = min(h.at+1, len(h.answer.Results)), 0
	return h.at < len(h.answer.Results)
}

// result is the current one; there is none before the first NextResult and after the last.
func (h *held) result() Result {
	if h.at < 0 || h.at >= len(h.answer.Results) {
		return Result{}
	}
	return h.answer.Results[h.at]
}

func (h *held) Next() bool {
	h.row = min(h.row+1, len(h.result().Rows)+1)
	return h.row <= len(h.result().Rows)
}

// current is the row; there is none before the first Next and after the last.
func (h *held) current() (row []any, is bool) {
	if rows := h.result().Rows; h.row > 0 && h.row <= len(rows) {
		return rows[h.row-1], true
	}
	return nil, false
}

// Row is a copy: the answer may be given to several callers.
func (h *held) Row() ([]any, error) {
	row, is := h.current()
	if !is {
		return nil, errNoRow
	}
	return slices.Clone(row), nil
}

func (h *held) Raw() []byte {
	row, is := h.current()
	if !is {
		return nil
	}
	return target.AppendRow(nil, row)
}

func (h *held) Columns() []target.Column { return h.result().Columns }
func (h *held) Affected() (int64, bool)  { return h.result().Affected, h.result().Counted }
func (h *held) Changed() bool            { return h.changed }
func (h *held) Err() error               { return nil }
func (h *held) Close() error             { return nil }
