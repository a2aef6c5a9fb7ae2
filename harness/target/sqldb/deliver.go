package sqldb

import (
	"cmp"

	"github.com/rejoin-db/rejoin/harness/target/dialect"
)

// deliver executes a statement and sends its result to the caller. keep, if not nil, is given the rows.
func (r *run) deliver(s *session, statement dialect.Statement, keep func(row []any)) (Result, error) {
	if statement.Returns {
		return r.deliverRows(s, statement, keep)
	}
	result := Result{Counted: statement.Counts}
	err := r.call(func() error {
		done, err := s.conn.ExecContext(r.ctx, statement.SQL, statement.Params...)
		if err != nil || !statement.Counts {
			return err
		}
		if result.Affected, err = done.RowsAffected(); err != nil {
			result.Counted = false // the driver does not know, which is no failure
		}
		return nil
	})
	if err != nil || statement.Hidden {
		return result, err
	}
	if err := r.send(event{kind: beginResult}); err != nil {
		return result, err
	}
	return result, r.send(event{kind: endResult, affected: result.Affected, counted: result.Counted})
}

func (r *run) deliverRows(s *session, statement dialect.Statement, keep func(row []any)) (result Result, err error) {
	c, err := r.query(s, statement.SQL, statement.Params)
	if err != nil {
		return result, err
	}
	defer func() { err = cmp.Or(err, r.close(c)) }()
	send := r.send
	if statement.Hidden {
		send = func(event) error { return nil }
	}
	result = Result{Columns: c.columns, Counted: statement.Counts}
	if err := send(event{kind: beginResult, columns: c.columns}); err != nil {
		return result, err
	}
	for {
		row, err := r.next(c)
		if err != nil {
			return result, err
		}
		if row == nil {
			break
		}
		if statement.Counts {
			result.Affected++
		}
		if keep != nil {
			keep(row)
		}
		if err := send(event{kind: oneRow, row: row}); err != nil {
			return result, err
		}
	}
	return result, send(event{kind: endResult, affected: result.Affected, counted: result.Counted})
}
