package wire

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// ReadOnly is what Writer.EndResult takes for a statement that cannot change
// rows.
const ReadOnly int64 = -1

// Column describes a column of a result.
type Column struct {
	Name string
	Type string // as declared, such as INTEGER; may be empty
}

// Writer streams one answer: for each statement Result, Row for each row, and
// EndResult; then Close, or at any point Fail. It holds a few rows or a chunk
// of them, and nothing for each row. An error of a call that only breaks this
// order, or that passes a value which cannot be written, leaves the answer as
// it was, so that Fail can still say why it ends. A Writer is for one
// goroutine.
type Writer struct {
	w     io.Writer
	flush func()
	buf   []byte
	pace  pace

	columns int // of the open result
	rows    int64
	open    bool // between Result and EndResult
	some    bool // a result was written
	sent    bool // something has left, perhaps only in part
	done    bool
	err     error // of a write: nothing can be sent any more
}

// NewWriter returns a Writer to w. It calls flush, if not nil, after each
// write that is not the last of a whole answer.
func NewWriter(w io.Writer, flush func()) *Writer {
	buf := make([]byte, 0, firstChunk+firstChunk/4)
	return &Writer{w: w, flush: flush, buf: append(buf, `{"results":[`...), pace: pace{last: time.Now()}}
}

// Sent reports whether any part of the answer has left. Until then Fail still
// writes an error answer, and the caller may choose its HTTP status.
func (w *Writer) Sent() bool {
	return w.sent
}

// Result begins the result of a statement; no columns are an empty schema.
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

// Row writes one row of the result that is open. It keeps nothing of values.
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

// EndResult ends the result that is open. It takes the number of rows the
// statement changed, or ReadOnly.
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

// Close ends the answer as a success that took so long.
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

// Fail ends the answer as a failure. As long as nothing has left, all of it
// becomes an error answer and Fail returns nil. Otherwise it ends what has
// left as a failed answer and returns an error that is ErrCut: the caller must
// then cut the connection. So it must after any other error of Fail.
func (w *Writer) Fail(e *Error) error {
	if w.err != nil {
		return errors.Join(ErrCut, w.err)
	}
	if w.done {
		return errors.New("the answer has ended and cannot fail any more")
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

// usable reports why a call that needs a result to be open, or to be closed,
// cannot be served now.
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
