package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// session is one connection, used by one run at a time.
type session struct {
	db   *DB
	conn *sql.Conn
}

// connect takes a connection. Nothing of a request has been sent if it fails.
func (r *run) connect() (*session, error) {
	s := &session{db: r.db}
	err := r.call(func() (err error) {
		s.conn, err = r.db.db.Conn(r.ctx)
		return err
	})
	return s, err
}

// execAll executes statements without parameters.
func (r *run) execAll(s *session, statements ...string) error {
	for _, text := range statements {
		if err := r.call(func() error { _, err := s.conn.ExecContext(r.ctx, text); return err }); err != nil {
			return err
		}
	}
	return nil
}

// inTheWayEvery is how long a transaction waits for another one between two tries to begin.
const inTheWayEvery = 5 * time.Millisecond

// sendBegin sends the statements that begin a transaction, until no other transaction is in the way.
func (r *run) sendBegin(s *session, statements []string) error {
	deadline := time.Now().Add(r.db.options.Timeout)
	err := r.execAll(s, statements...)
	if err == nil || r.db.options.InTheWay == nil {
		return err
	}
	tick := time.NewTicker(inTheWayEvery)
	defer tick.Stop()
	for ; err != nil && r.db.options.InTheWay(err) && time.Now().Before(deadline); err = r.execAll(s, statements...) {
		select {
		case <-r.ctx.Done():
			return r.ended(err)
		case <-tick.C:
		}
	}
	return err
}

// release gives the connection back, to be used again.
func (s *session) release() {
	if err := s.conn.Close(); err != nil {
		s.discard()
	}
}

// discard closes the connection: its transaction, if any, ends with it.
func (s *session) discard() {
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = s.conn.Close()
}

// rollback undoes the transaction and gives the connection back. If that is not possible it closes the connection.
func (r *run) rollback(s *session) {
	if r.ctx.Err() != nil { // the driver was interrupted: what the connection does is not known
		s.discard()
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.db.options.Grace)
	defer cancel()
	if _, err := s.conn.ExecContext(ctx, r.db.options.Rollback); err != nil {
		s.discard()
		return
	}
	s.release()
}

// cursor iterates over the rows of one statement.
type cursor struct {
	rows    *sql.Rows
	columns []target.Column
	values  []any
	into    []any
	convert func(target.Column, any) (any, error)
}

func (r *run) query(s *session, text string, params []any) (*cursor, error) {
	c := &cursor{convert: r.db.options.Value}
	err := r.call(func() (err error) {
		c.rows, err = s.conn.QueryContext(r.ctx, text, params...)
		if err != nil {
			return err
		}
		types, err := c.rows.ColumnTypes()
		if err != nil {
			_ = c.rows.Close()
			return err
		}
		c.columns = make([]target.Column, len(types))
		for i, t := range types {
			c.columns[i] = target.Column{Name: t.Name(), Type: t.DatabaseTypeName()}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.values, c.into = make([]any, len(c.columns)), make([]any, len(c.columns))
	for i := range c.into {
		c.into[i] = &c.values[i]
	}
	return c, nil
}

// next returns the next row, or nil after the last one.
func (r *run) next(c *cursor) (row []any, err error) {
	err = r.call(func() error {
		if !c.rows.Next() {
			return c.rows.Err()
		}
		if err := c.rows.Scan(c.into...); err != nil {
			return err
		}
		row = make([]any, len(c.values))
		return nil
	})
	if err != nil || row == nil {
		return nil, err
	}
	for i, v := range c.values {
		if row[i], err = c.convert(c.columns[i], v); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// close closes the rows, also after the run has ended: the connection waits for that.
func (r *run) close(c *cursor) error {
	r.limit.Reset(r.db.options.Timeout)
	defer r.limit.Stop()
	return c.rows.Close()
}

// tx is a session as a Tx.
type tx struct {
	run     *run
	session *session
}

func (t tx) Exec(ctx context.Context, text string, params ...any) error {
	return t.run.call(func() error { _, err := t.session.conn.ExecContext(ctx, text, params...); return err })
}

func (t tx) Query(_ context.Context, text string, params ...any) (all [][]any, err error) {
	c, err := t.run.query(t.session, text, params)
	if err != nil {
		return nil, err
	}
	for {
		row, err := t.run.next(c)
		if err != nil || row == nil {
			return all, cmp.Or(err, t.run.close(c))
		}
		all = append(all, row)
	}
}
