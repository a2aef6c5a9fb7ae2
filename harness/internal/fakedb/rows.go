package fakedb

import (
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// rows is an answer. Its results are in memory.
type rows struct {
	results []result
	changed bool
	at, row int
}

func (r *rows) NextResult() bool {
	r.at, r.row = r.at+1, -1
	return r.at < len(r.results)
}

func (r *rows) Columns() []target.Column { return r.results[r.at].columns }

func (r *rows) Next() bool {
	if r.at < 0 || r.at >= len(r.results) || r.row+1 >= len(r.results[r.at].rows) {
		return false
	}
	r.row++
	return true
}

// Raw is the row with the type and the length of each value.
func (r *rows) Raw() []byte {
	var raw []byte
	for _, v := range r.results[r.at].rows[r.row] {
		text := fmt.Sprintf("%v", v)
		raw = fmt.Appendf(raw, "%T %d %s", v, len(text), text)
	}
	return raw
}

func (r *rows) Row() ([]any, error) {
	if r.at < 0 || r.at >= len(r.results) || r.row < 0 || r.row >= len(r.results[r.at].rows) {
		return nil, errors.New("there is no row")
	}
	return append([]any(nil), r.results[r.at].rows[r.row]...), nil
}

func (r *rows) Affected() (int64, bool) {
	return r.results[r.at].affected, len(r.results[r.at].columns) == 0
}
func (r *rows) Changed() bool { return r.changed }
func (r *rows) Err() error    { return nil }
func (r *rows) Close() error  { return nil }
