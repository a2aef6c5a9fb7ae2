package wire

import (
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// defaultLimit is the default of Reader.LimitRow.
const defaultLimit = 64 << 20

// Reader reads one answer as it arrives, and holds one row at a time:
//
//	r := wire.NewReader(body)
//	for r.NextResult() {
//		for r.Next() {
//			use(r.Raw())
//		}
//	}
//	return r.Err()
//
// An answer is a success only if Err returns nil after NextResult returned false. Err is already
// final after the last row of the last result, so that a single statement needs only one loop,
// and after NextResult if the result has no rows. A Reader is not safe for concurrent use. Its
// methods block while they wait for input.
type Reader struct {
	src   source
	limit int

	started    bool
	inResults  bool // the next result begins here
	inRows     bool // the next row, or the end of the rows, begins here
	hadResults bool // the answer's results were read
	hadRows    bool // the result's rows were read

	results int // results begun
	rows    int64
	columns []Column
	count   int64 // row_count, or -1
	changed int64 // rows affected, or -1
	raw     []byte
	packed  jsontext.Value // buffer for a row without white space
	parse   parser

	took    time.Duration
	status  string
	failure *Error // the error from the server
	err     error
}

// NewReader returns a Reader that reads an answer from in.
func NewReader(in io.Reader) *Reader {
	return &Reader{src: source{in: in}, limit: defaultLimit, changed: -1}
}

// LimitRow sets the maximum size of a row, or of any other single part of the answer, in bytes;
// default 64 MiB. The Reader may use twice as much memory.
func (r *Reader) LimitRow(bytes int) {
	r.limit = bytes
}

// NextResult advances to the next result and skips unread rows. It returns false at the end of
// the answer and when the answer failed, also if the failure follows a result without rows.
func (r *Reader) NextResult() bool {
	ok := r.nextResult()
	for ok && (r.failure != nil || r.status == "error") {
		// The server reported the failure before the results: do not return them.
		ok = r.nextResult()
	}
	return ok
}

// Next advances to the next row of the result. It returns false after the last row and on an
// error.
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

// Raw returns the JSON of the row as sent, without insignificant white space. It is valid until
// the next call of Next. Rows written by a Writer are equal exactly if their Raw is. Raw finds
// the end of a row by its brackets and quotes; only Row validates the values.
func (r *Reader) Raw() []byte {
	return r.raw
}

// Row returns the values of the row, which the caller may keep. It returns an error that wraps
// ErrMalformed if the row is invalid or does not match the columns.
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

// Columns returns the columns of the result, which the caller may keep. It returns nil until they
// are known: some servers send them after the rows.
func (r *Reader) Columns() []Column {
	return r.columns
}

// Affected returns the number of rows changed by the statement, and false if the server did not
// send one. It is known after the last row of the result.
func (r *Reader) Affected() (int64, bool) {
	return max(r.changed, 0), r.changed >= 0
}

// Took returns the duration reported by the server. It is known at the end of the answer.
func (r *Reader) Took() time.Duration {
	return r.took
}

// Err returns why the answer failed, or nil. It is an *Error if the server reported one. It wraps
// io.ErrUnexpectedEOF if the answer is truncated, ErrMalformed or ErrTooLarge if it was rejected,
// and otherwise the read error. Except for an *Error, the text contains the number of rows read.
func (r *Reader) Err() error {
	return r.err
}
