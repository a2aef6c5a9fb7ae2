package sqldb

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/target"
)

// All returns the rows of all results of a request. It closes the answer. Use it around a call of Query:
//
//	rows, err := sqldb.All(db.Query(ctx, request))
func All(rows target.Rows, err error) ([][]any, error) {
	answer, err := Whole(rows, err)
	if err != nil {
		return nil, err
	}
	var all [][]any
	for _, result := range answer.Results {
		all = append(all, result.Rows...)
	}
	return all, nil
}

// Whole returns a whole answer, and closes it.
func Whole(rows target.Rows, err error) (*Answer, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	answer := &Answer{}
	for rows.NextResult() {
		result := Result{Columns: rows.Columns()}
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			result.Rows = append(result.Rows, row)
		}
		result.Affected, result.Counted = rows.Affected()
		answer.Results = append(answer.Results, result)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	answer.changed = rows.Changed()
	return answer, nil
}

// Value returns the only value of a query that reads the node's own state.
func Value(ctx context.Context, from target.SQL, sql string, params ...any) (any, error) {
	rows, err := All(from.Query(ctx, target.Request{SQL: sql, Params: params, Consistency: target.Local}))
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return nil, fmt.Errorf("%s has %d rows, not one with one value", sql, len(rows))
	}
	return rows[0][0], nil
}
