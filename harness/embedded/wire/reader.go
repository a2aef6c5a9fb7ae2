package wire

import (
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultLimit is the default of Reader.LimitRow.
const defaultLimit = 64 << 20

// Reader reads one answer as it arrives and holds one row of it at a time:
//
//	r := wire.NewReader(body)
//	for r.NextResult() {
//		for r.Next() {
//			use(r.Raw())
//		}
//	}
//	return r.Err()
//
// An answer is a success only if Err is nil after NextResult was false. After
// the last row of the last result Err tells already, so that one statement
// needs one loop; and so it does after NextResult if there are no rows. A
// Reader is for one goroutine.
type Reader struct {
	src   source
	limit int

	started    bool
	inResults  bool // the next result begins here
	inRows     bool // the next row, or the end of rows, is here
	hadResults bool // an answer has its results once,
	hadRows    bool // and a result its rows

	results int // begun
	rows    int64
	columns []Column
	count   int64 // the rows the result claims, or -1
	changed int64 // rows affected, or -1
	raw     []byte
	packed  jsontext.Value // room for a row without its white space
	parse   parser

	took    time.Duration
	status  string
	failure *Error // what the server said
	err     error
}

// NewReader returns a Reader of the answer in.
func NewReader(in io.Reader) *Reader {
	return &Reader{src: source{in: in}, limit: defaultLimit, changed: -1}
}

// LimitRow sets how many bytes a row, or any other single part of the answer,
// may take; the Reader may need twice the room. Without it, it is 64 MiB.
func (r *Reader) LimitRow(bytes int) {
	r.limit = bytes
}

// NextResult goes to the next result, past the rows that were not read. It is
// false at the end of the answer, and when the answer failed: also when the
// failure came right behind a result without rows.
func (r *Reader) NextResult() bool {
	ok := r.nextResult()
	for ok && (r.failure != nil || r.status == "error") {
		// The server said so before the results: nobody should use them.
		ok = r.nextResult()
	}
	return ok
}

// Next goes to the next row of the result.
func (r *Reader) Next() bool {
	r.raw = nil
	if !r.inRows || r.err != nil {
		return false
	}
	more, err := r.element(r.rows == 0)
	if err == nil && more {
		err = r.row()
	} else if err == nil {
		r.inRows = false
		err = r.result(false)
	}
	if err != nil {
		return r.stop(err)
	}
	return more
}

// Raw is the JSON of the row as it was sent, without white space between its
// parts. It is valid until Next. Rows that a Writer wrote are equal exactly if
// their Raw is. Raw finds the end of a row by its brackets and quotes; only
// Row judges what is between them.
func (r *Reader) Raw() []byte {
	return r.raw
}

// Row returns the values of the row, which are the caller's to keep.
func (r *Reader) Row() ([]any, error) {
	if r.raw == nil {
		return nil, fmt.Errorf("there is no row %s", r.where())
	}
	values, err := r.parse.row(r.raw, len(r.columns))
	if err == nil && r.columns != nil && len(values) != len(r.columns) {
		err = fmt.Errorf("%d values for %d columns", len(values), len(r.columns))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: row %d of result %d: %w", ErrMalformed, r.rows, r.results, err)
	}
	return values, nil
}

// Columns describes the columns of the result, and is the caller's to keep. It
// is nil until they are known: a server that sends them behind the rows makes
// them known after the last row.
func (r *Reader) Columns() []Column {
	return r.columns
}

// Affected is the number of rows the statement changed, and false if the
// server named none. It is known after the last row of the result.
func (r *Reader) Affected() (int64, bool) {
	return max(r.changed, 0), r.changed >= 0
}

// Took is how long the server says it took. It is known at the end of the
// answer.
func (r *Reader) Took() time.Duration {
	return r.took
}

// Err is why the answer failed, or nil. It is an *Error if the server said so,
// wraps io.ErrUnexpectedEOF if the answer ends early, ErrMalformed or
// ErrTooLarge if it was refused, and otherwise the error of reading. Except
// for an *Error, the text says after how many rows.
func (r *Reader) Err() error {
	return r.err
}
