package harness

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Result is a node's answer to a request.
type Result struct {
	Node   int // index
	ID     string
	Tables []Table // one for each statement
}

// Table is the answer to one statement.
type Table struct {
	Columns  []target.Column
	Rows     [][]any // of nil, int64, float64, string and []byte
	Affected int64   // rows inserted, updated or deleted
}

// Rows returns the rows of the last statement that answers with columns.
func (r Result) Rows() [][]any {
	for i := len(r.Tables) - 1; i >= 0; i-- {
		if len(r.Tables[i].Columns) > 0 {
			return r.Tables[i].Rows
		}
	}
	return nil
}

// Affected returns the number of rows that all statements together changed.
func (r Result) Affected() int64 {
	var n int64
	for _, t := range r.Tables {
		n += t.Affected
	}
	return n
}

// Value returns the value of an answer of one row and one column, such as a count.
func (r Result) Value() (any, error) {
	rows := r.Rows()
	if len(rows) != 1 || len(rows[0]) != 1 {
		return nil, fmt.Errorf("node %d (%s) answered %d rows, expected one row of one column", r.Node, r.ID, len(rows))
	}
	return rows[0][0], nil
}

// gather reads a whole answer into memory.
func gather(rows target.Rows) (tables []Table, err error) {
	defer func() { err = join(err, rows.Close()) }()
	for rows.NextResult() {
		var t Table
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			t.Rows = append(t.Rows, row)
		}
		t.Columns = rows.Columns()
		t.Affected, _ = rows.Affected()
		tables = append(tables, t)
	}
	return tables, rows.Err()
}

// values converts Go values to those that SQL stores.
func values(args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case nil, int64, float64, string, []byte:
			out[i] = v
		case int:
			out[i] = int64(v)
		case int32:
			out[i] = int64(v)
		case uint32:
			out[i] = int64(v)
		case float32:
			out[i] = float64(v)
		case bool:
			out[i] = int64(0)
			if v {
				out[i] = int64(1)
			}
		default:
			return nil, fmt.Errorf("parameter %d is a %T; allowed: nil, bool, int, int32, int64, uint32, float32, float64, string, []byte", i+1, arg)
		}
	}
	return out, nil
}
