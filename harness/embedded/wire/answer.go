package wire

import "fmt"

// The methods here parse the grammar of an answer. Each consumes a part of it and leaves the
// Reader at the beginning of the next result or row, or at the end.

func (r *Reader) nextResult() bool {
	for r.Next() {
	}
	r.columns, r.count, r.changed, r.rows, r.hadRows = nil, -1, -1, 0, false
	if r.err == nil && !r.started {
		r.started = true
		if err := r.start(); err != nil {
			return r.stop(err)
		}
	}
	if r.err != nil || !r.inResults {
		return false
	}
	r.results++
	err := r.src.take('{')
	if err == nil {
		err = r.result(true)
	}
	if err != nil {
		return r.stop(err)
	}
	return true
}

func (r *Reader) start() error {
	if err := r.src.take('{'); err != nil {
		return err
	}
	return r.answer(true)
}

// answer parses the members of the answer, up to the first result or to the end.
func (r *Reader) answer(first bool) error {
	for {
		entered, err := r.members(first, "results", r.answerMember)
		if err != nil {
			return err
		}
		if !entered {
			return r.finish()
		}
		if r.hadResults {
			return fmt.Errorf(`%w: duplicate key "results"`, ErrMalformed)
		}
		r.hadResults = true
		if r.inResults, err = r.element(true); r.inResults || err != nil {
			return err
		}
		first = false
	}
}

// result parses the members of a result, up to its first row or to the end of the result: the
// next result, or the end of the answer.
func (r *Reader) result(first bool) error {
	for {
		entered, err := r.members(first, "rows", r.resultMember)
		if err != nil {
			return err
		}
		if !entered {
			break
		}
		if r.hadRows {
			return fmt.Errorf(`%w: duplicate key "rows"`, ErrMalformed)
		}
		r.hadRows = true
		c, err := r.src.peek()
		if err != nil {
			return err
		}
		if c != ']' {
			r.inRows = true
			return nil
		}
		r.src.at++
		first = false
	}
	if r.count >= 0 && r.count != r.rows {
		return fmt.Errorf("%w: row_count is %d after %d rows", ErrMalformed, r.count, r.rows)
	}
	var err error
	if r.inResults, err = r.element(false); r.inResults || err != nil {
		return err
	}
	return r.answer(false)
}

// row consumes a row.
func (r *Reader) row() error {
	c, err := r.src.peek()
	if err != nil {
		return err
	}
	if c != '[' {
		return fmt.Errorf("%w: the next row is not an array", ErrMalformed)
	}
	raw, spaced, err := r.src.value(r.limit)
	if err != nil {
		return err
	}
	if spaced {
		r.packed = append(r.packed[:0], raw...)
		if err := r.packed.Compact(); err != nil {
			return fmt.Errorf("%w: the next row: %w", ErrMalformed, err)
		}
		raw = r.packed
	}
	r.raw = raw
	r.rows++
	return nil
}
