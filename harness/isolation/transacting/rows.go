//go:build cgo

package transacting

import (
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// rows iterates over results that are in memory.
type rows struct {
	results     []result
	result, row int // result begins at -1; row is 1 at the first row
	changed     bool
}

func (r *rows) NextResult() bool {
	r.row = 0
	r.result++
	return r.result < len(r.results)
}

func (r *rows) Columns() []target.Column { return r.results[r.result].columns }

func (r *rows) Next() bool {
	r.row++
	return r.result < len(r.results) && r.row <= len(r.results[r.result].rows)
}

func (r *rows) Raw() []byte {
	var raw []byte
	for _, v := range r.results[r.result].rows[r.row-1] {
		raw = fmt.Appendf(raw, "%T %q;", v, fmt.Sprint(v))
	}
	return raw
}

func (r *rows) Row() ([]any, error)     { return slices.Clone(r.results[r.result].rows[r.row-1]), nil }
func (r *rows) Affected() (int64, bool) { return r.results[r.result].affected, true }
func (r *rows) Changed() bool           { return r.changed }
func (r *rows) Err() error              { return nil }
func (r *rows) Close() error            { return nil }
