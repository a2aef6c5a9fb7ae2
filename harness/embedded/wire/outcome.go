package wire

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// answerMember stores a member of the answer other than its results. A failure is never
// overwritten by a later member.
func (r *Reader) answerMember(key string, raw jsontext.Value) (err error) {
	isNull := raw.Kind() == 'n'
	switch {
	case key == "status" && r.status != "error":
		r.status, err = looseText(raw)
	case key == "error" && !isNull:
		r.failure, err = parseError(raw)
	case key == "took":
		// Only informative, so other notations of other servers are ignored.
		if ms, err := strconv.ParseFloat(string(raw), 64); err == nil && ms >= 0 && ms < math.MaxInt64/1e6 {
			r.took = time.Duration(math.Round(ms * 1e6))
		}
	case key == "results" && !isNull:
		return errors.New("it is not an array")
	}
	return err
}

// resultMember stores a member of a result other than its rows.
func (r *Reader) resultMember(key string, raw jsontext.Value) (err error) {
	if raw.Kind() == 'n' {
		return nil
	}
	switch key {
	case "schema":
		r.columns, err = parseColumns(raw)
	case "row_count":
		r.count, err = parseCount(raw)
	case "rows_affected":
		r.changed, err = parseCount(raw)
	case "rows":
		err = errors.New("it is not an array")
	}
	return err
}

func parseColumns(raw jsontext.Value) ([]Column, error) {
	var members []struct {
		Name string         `json:"name"`
		Type jsontext.Value `json:"data_type"`
	}
	if err := json.Unmarshal(raw, &members, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, err
	}
	columns := make([]Column, len(members))
	for i, m := range members {
		text, err := looseText(m.Type)
		if err != nil {
			return nil, err
		}
		columns[i] = Column{Name: m.Name, Type: text}
	}
	return columns, nil
}

func parseCount(raw jsontext.Value) (int64, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is not a number of rows", quoted(raw))
	}
	return n, nil
}

// finish checks an answer that was read to its closing brace. The answer is complete then, so a
// later read error is ignored.
func (r *Reader) finish() error {
	c, err := r.src.peek()
	if r.status == "error" && r.failure == nil {
		r.failure = &Error{}
	}
	switch {
	case err == nil:
		return fmt.Errorf("%w: the answer is followed by %s", ErrMalformed, quoted([]byte{c}))
	case r.failure != nil:
		return r.failure
	case r.status != "success":
		return fmt.Errorf("%w: its status is %q", ErrMalformed, r.status)
	}
	return nil
}

// stop ends the reading with an error. A failure reported by the server has priority over the way
// the answer ended.
func (r *Reader) stop(err error) bool {
	r.inResults, r.inRows, r.raw = false, false, nil
	switch {
	case r.failure != nil:
		r.err = r.failure
	case errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge):
		r.err = fmt.Errorf("%s: %w", r.where(), err)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		r.err = fmt.Errorf("the answer ends early, %s: %w", r.where(), io.ErrUnexpectedEOF)
	default:
		r.err = fmt.Errorf("reading the answer, %s: %w", r.where(), err)
	}
	return false
}

// where describes how far the answer was read.
func (r *Reader) where() string {
	if r.results == 0 {
		return "before the first result"
	}
	return fmt.Sprintf("after %d rows of result %d", r.rows, r.results)
}
