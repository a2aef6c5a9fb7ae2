package wire

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// ReadOnly is the argument of Writer.EndResult for a statement that cannot change rows.
const ReadOnly int64 = -1

// Column describes a column of a result.
type Column struct {
	Name string
	Type string // declared type, for example INTEGER; may be empty
}

// Writer streams one answer. For each statement call Result, Row for each row, and EndResult;
// then Close. Fail may be called at any point. The Writer buffers a few rows or one chunk. A call
// in the wrong order, or with a value that cannot be encoded, returns an error and leaves the
// answer unchanged, so that Fail can still report the reason. A Writer is not safe for concurrent
// use. Row, EndResult, Close and Fail may block in the underlying Write.
type Writer struct {
	w     io.Writer
	flush func()
	buf   []byte
	pace  pace

	columns int // of the open result
	rows    int64
	open    bool // between Result and EndResult
	some    bool // a result was written
	sent    bool // something was sent, perhaps only in part
	done    bool
	err     error // write error: nothing more can be sent
}

// NewWriter returns a Writer to w. If flush is not nil, it is called after each write except the
// last one of a complete answer.
func NewWriter(w io.Writer, flush func()) *Writer {
	buf := make([]byte, 0, firstChunk+firstChunk/4)
	return &Writer{w: w, flush: flush, buf: append(buf, `{"results":[`...), pace: pace{last: time.Now()}}
}

// Sent returns whether any part of the answer was sent. Before that Fail writes an error answer,
// and the caller may still choose the HTTP status.
func (w *Writer) Sent() bool {
	return w.sent
}

// Result begins the result of a statement. No columns give an empty schema.
func (w *Writer) Result(columns []Column) error {
	if err := w.usable(false); err != nil {
		return err
	}
	for i, c := range columns {
		if !utf8.ValidString(c.Name) || !utf8.ValidString(c.Type) {
			return fmt.Errorf("the name or type of column %d is not valid UTF-8", i+1)
		}
	}
	if w.some {
		w.buf = append(w.buf, ',')
	}
	w.buf = append(w.buf, `{"schema":[`...)
	for i, c := range columns {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, `{"name":`...)
		w.buf = appendText(w.buf, c.Name)
		w.buf = append(w.buf, `,"data_type":`...)
		w.buf = appendText(w.buf, c.Type)
		w.buf = append(w.buf, '}')
	}
	w.buf = append(w.buf, `],"rows":[`...)
	w.columns, w.rows = len(columns), 0
	w.open, w.some = true, true
	return nil
}

// Row writes one row of the open result. It does not keep values.
func (w *Writer) Row(values []any) error {
	if err := w.usable(true); err != nil {
		return err
	}
	if len(values) != w.columns {
		return fmt.Errorf("row %d has %d values for %d columns", w.rows+1, len(values), w.columns)
	}
	before := len(w.buf)
	if w.rows > 0 {
		w.buf = append(w.buf, ',')
	}
	var err error
	if w.buf, err = AppendRow(w.buf, values); err != nil {
		w.buf = w.buf[:before]
		return fmt.Errorf("row %d: %w", w.rows+1, err)
	}
	w.rows++
	if w.pace.due(len(w.buf)) {
		return w.send(true)
	}
	return nil
}

// EndResult ends the open result. affected is the number of rows the statement changed, or
// ReadOnly.
func (w *Writer) EndResult(affected int64) error {
	if err := w.usable(true); err != nil {
		return err
	}
	w.buf = append(w.buf, `],"row_count":`...)
	w.buf = strconv.AppendInt(w.buf, w.rows, 10)
	if affected >= 0 {
		w.buf = append(w.buf, `,"rows_affected":`...)
		w.buf = strconv.AppendInt(w.buf, affected, 10)
	}
	w.buf = append(w.buf, '}')
	w.open = false
	if len(w.buf) >= laterChunk {
		return w.send(true)
	}
	return nil
}

// Close ends the answer as a success with the duration took.
func (w *Writer) Close(took time.Duration) error {
	if err := w.usable(false); err != nil {
		return err
	}
	w.done = true
	w.buf = append(w.buf, `],"status":"success","took":`...)
	w.buf = strconv.AppendFloat(w.buf, float64(took)/float64(time.Millisecond), 'f', 3, 64)
	w.buf = append(w.buf, '}')
	return w.send(false)
}

// Fail ends the answer as a failure. If nothing was sent yet, the whole answer becomes an error
// answer and Fail returns nil. Otherwise it completes the sent part as a failed answer and
// returns an error that wraps ErrCut. The caller must cut the connection after any error of Fail.
func (w *Writer) Fail(e *Error) error {
	if w.err != nil {
		return errors.Join(ErrCut, w.err)
	}
	if w.done {
		return errors.New("the answer has already ended")
	}
	w.done = true
	if !w.sent {
		w.buf = append(w.buf[:0], `{"status":"error","error":`...)
		w.buf = append(e.append(w.buf), '}')
		return w.send(false)
	}
	if w.open {
		w.buf = append(w.buf, `]}`...)
	}
	w.buf = append(w.buf, `],"status":"error","error":`...)
	w.buf = append(e.append(w.buf), '}')
	return errors.Join(ErrCut, w.send(true))
}

// usable returns why a call that needs an open result, or no open result, is not possible now.
func (w *Writer) usable(open bool) error {
	switch {
	case w.err != nil:
		return w.err
	case w.done:
		return errors.New("the answer has ended")
	case open && !w.open:
		return errors.New("no result has begun")
	case !open && w.open:
		return errors.New("the last result has not ended")
	}
	return nil
}

func (w *Writer) send(flush bool) error {
	w.sent = true
	if _, err := w.w.Write(w.buf); err != nil {
		w.err = fmt.Errorf("sending the answer: %w", err)
		return w.err
	}
	w.buf = w.buf[:0]
	if flush && w.flush != nil {
		w.flush()
	}
	w.pace.sent()
	return nil
}
