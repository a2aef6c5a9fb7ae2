package client

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Remembered returns the IDs of the changes that a node remembers, from its own database.
func Remembered(ctx context.Context, node target.SQL) (ids map[string]bool, err error) {
	rows, err := node.Query(ctx, target.Request{SQL: "SELECT id FROM rejoin_requests", Consistency: target.Local})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	ids = make(map[string]bool)
	for rows.NextResult() {
		for rows.Next() {
			row, err := rows.Row()
			if err != nil {
				return nil, err
			}
			ids[row[0].(string)] = true
		}
	}
	return ids, rows.Err()
}
