package httpsql

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/rejoin-db/rejoin/harness/target"
)

// result is the answer to one statement.
type result struct {
	columns  []target.Column
	rows     [][]any
	affected int64
	counted  bool
}

// rows iterates over a complete answer.
type rows struct {
	results []result
	changed bool
	at      int // of the result, from 1
	row     int // from 1
	raw     []byte
}

var _ target.Rows = (*rows)(nil)

func (r *rows) NextResult() bool {
	if r.at >= len(r.results) {
		return false
	}
	r.at++
	r.row, r.raw = 0, nil
	return true
}

func (r *rows) result() result {
	if r.at == 0 {
		return result{}
	}
	return r.results[r.at-1]
}

func (r *rows) Columns() []target.Column { return r.result().columns }

func (r *rows) Next() bool {
	if r.row >= len(r.result().rows) {
		r.raw = nil
		return false
	}
	r.row++
	r.raw = encode(r.raw[:0], r.result().rows[r.row-1])
	return true
}

func (r *rows) Raw() []byte { return r.raw }

func (r *rows) Row() ([]any, error) {
	if r.raw == nil {
		return nil, errors.New("there is no row")
	}
	return append([]any{}, r.result().rows[r.row-1]...), nil
}

func (r *rows) Affected() (int64, bool) { return r.result().affected, r.result().counted }
func (r *rows) Changed() bool           { return r.changed }
func (r *rows) Err() error              { return nil }
func (r *rows) Close() error            { return nil }

// encode appends an encoding of a row that is equal exactly for equal rows.
func encode(out []byte, row []any) []byte {
	out = append(out, '[')
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			out = append(out, 'n')
		case int64:
			out = binary.BigEndian.AppendUint64(append(out, 'i'), uint64(v))
		case float64:
			out = binary.BigEndian.AppendUint64(append(out, 'f'), math.Float64bits(v))
		case string:
			out = append(binary.AppendUvarint(append(out, 's'), uint64(len(v))), v...)
		case []byte:
			out = append(binary.AppendUvarint(append(out, 'b'), uint64(len(v))), v...)
		}
	}
	return out
}
