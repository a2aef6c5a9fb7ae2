package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// Column is a column of a result. Type is the declared type, or, for an expression, the storage
// class of its value in the first row.
type Column struct{ Name, Type string }

// Query runs one statement with the first parameters of params, as many as it has. It returns
// that number, also with an error. The statement has started when Query returns, and a statement
// without rows has finished. The caller must close the Rows. Ending ctx interrupts the statement.
func (c *Conn) Query(ctx context.Context, sql string, params []any) (rows *Rows, taken int, err error) {
	c.auth.reset()
	if isVacuum(sql) {
		return nil, 0, refusedError("VACUUM is refused: it rewrites the file of one node, and cannot run in a transaction")
	}
	stmt, err := c.compile(ctx, sql)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			err = joinClosing(err, c.finalize(stmt))
		}
	}()
	if err := single(stmt); err != nil {
		return nil, 0, err
	}
	if c.mode == Reader && !stmt.Readonly() && !explains(stmt) {
		return nil, 0, refusedError("a statement that changes data is refused on a read connection")
	}
	taken = stmt.NumInput()
	if taken > len(params) {
		return nil, taken, &ParamCountError{Want: taken, Got: len(params)}
	}
	reserved, err := c.reserved()
	if err != nil {
		return nil, taken, err
	}
	if c.mode == Writer {
		c.env.weigh(longestLiteral(sql))
	}
	raw, err := c.start(ctx, stmt, params[:taken])
	if err != nil {
		return nil, taken, withCause(ctx, c.explain(err))
	}
	rows = &Rows{ctx: ctx, conn: c, stmt: stmt, raw: raw, reserved: reserved}
	if err := rows.first(); err != nil {
		return nil, taken, joinClosing(err, c.env.metered(raw.Close))
	}
	return rows, taken, nil
}

// statementCost is the fixed cost of each statement, in steps.
const statementCost = 500

// compile compiles a statement without the driver's cache: a cached statement would keep its old
// step count.
func (c *Conn) compile(ctx context.Context, sql string) (stmt *sqlite3.SQLiteStmt, err error) {
	defer c.noteCached(c.env.taken())
	c.env.weigh(-1)
	c.env.charge(statementCost + int64(len(sql)))
	err = c.env.metered(func() error {
		prepared, err := c.raw.PrepareContext(ctx, sql)
		if err == nil {
			stmt = prepared.(*sqlite3.SQLiteStmt)
		}
		return err
	})
	if err == nil && c.env.spent() {
		return nil, joinClosing(ErrBudget, stmt.Close())
	}
	return stmt, c.explain(err)
}

// start binds the parameters and runs the first step.
func (c *Conn) start(ctx context.Context, stmt *sqlite3.SQLiteStmt, params []any) (rows *sqlite3.SQLiteRows, err error) {
	err = c.env.metered(func() error {
		raw, err := stmt.QueryContext(ctx, named(params))
		if err == nil {
			rows = raw.(*sqlite3.SQLiteRows)
		}
		return err
	})
	return rows, err
}

// finalize ends a statement and releases its memory, metered.
func (c *Conn) finalize(stmt *sqlite3.SQLiteStmt) error {
	return c.env.metered(func() error { return c.end(stmt) })
}

func (c *Conn) end(stmt *sqlite3.SQLiteStmt) error {
	if c.mode == Writer {
		c.env.ended(stmt)
	}
	return stmt.Close()
}

// Rows iterates over the rows of one statement. It is not safe for concurrent use.
type Rows struct {
	ctx      context.Context
	conn     *Conn
	stmt     *sqlite3.SQLiteStmt
	raw      *sqlite3.SQLiteRows
	columns  []Column
	row      []driver.Value
	values   []any
	pending  error // result of the first step, until Next returns it
	begun    bool
	reserved int64 // reserved tables before the statement, if it may rename one
}

// first reads the first row, which determines the storage class of columns without a declared
// type.
func (r *Rows) first() error {
	names := r.raw.Columns()
	r.columns = make([]Column, len(names))
	r.row = make([]driver.Value, len(names))
	r.values = make([]any, len(names))
	for i, name := range names {
		r.columns[i] = Column{Name: name, Type: r.raw.ColumnTypeDatabaseTypeName(i)}
	}
	// The driver would convert values of columns declared DATE, TIMESTAMP or BOOLEAN to Go types
	// and lose the stored value. It looks up the declarations in this slice.
	clear(r.raw.DeclTypes())

	// The driver has already run the first step.
	r.pending = r.result(r.raw.Next(r.row))
	if r.pending != nil && r.pending != io.EOF {
		return r.pending
	}
	for i := range r.columns {
		if r.columns[i].Type == "" && r.pending == nil {
			r.columns[i].Type = storageClass(r.row[i])
		}
	}
	return nil
}

func (r *Rows) step() error {
	return r.result(r.conn.env.metered(func() error { return r.raw.Next(r.row) }))
}

// result converts the error of a step. After the last row it runs postcheck.
func (r *Rows) result(err error) error {
	err = withCause(r.ctx, r.conn.explain(err))
	if err == io.EOF {
		return r.conn.postcheck(r.reserved)
	}
	return err
}

// withCause returns err, or the cause of ctx if err only says that ctx has ended.
func withCause(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return err
}

// Columns returns the columns of the result, or none for a statement without rows.
func (r *Rows) Columns() []Column { return r.columns }

// Next returns the next row, valid until the next call, or io.EOF.
func (r *Rows) Next() ([]any, error) {
	if r.begun {
		r.pending = r.step()
	}
	r.begun = true
	if r.pending != nil {
		return nil, r.pending
	}
	for i, v := range r.row {
		r.values[i] = v
	}
	return r.values, nil
}

// Close ends the statement. It may be called more than once.
func (r *Rows) Close() error {
	if r.stmt == nil {
		return nil
	}
	err := r.conn.env.metered(func() error { return errors.Join(r.raw.Close(), r.conn.end(r.stmt)) })
	r.stmt = nil
	return err
}

// joinClosing returns err, joined with the error of the closing that followed, if any.
func joinClosing(err, closing error) error {
	if closing == nil {
		return err
	}
	return errors.Join(err, closing)
}

func storageClass(v any) string {
	switch v.(type) {
	case int64:
		return "INTEGER"
	case float64:
		return "REAL"
	case string:
		return "TEXT"
	case []byte:
		return "BLOB"
	}
	return "NULL"
}

func values(params []any) []driver.Value {
	out := make([]driver.Value, len(params))
	for i, p := range params {
		out[i] = p
	}
	return out
}

func named(params []any) []driver.NamedValue {
	out := make([]driver.NamedValue, len(params))
	for i, p := range params {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: p}
	}
	return out
}

// CheckParams returns an error if a parameter has a type that SQLite does not store.
func CheckParams(params []any) error {
	for i, p := range params {
		switch p.(type) {
		case nil, int64, float64, string, []byte:
		default:
			return fmt.Errorf("parameter %d is a %s; SQLite stores nil, int64, float64, string and []byte",
				i+1, strings.TrimPrefix(fmt.Sprintf("%T", p), "*"))
		}
	}
	return nil
}
