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

// Column is a column of an answer. Type is the declared type, or, where a
// column is an expression, the storage class of its first value.
type Column struct{ Name, Type string }

// Query runs one statement with exactly the parameters it asks for, from the
// front of params, and returns how many it took, or would have. The statement has begun when
// Query returns: a statement without rows has ended. The Rows must be closed.
func (c *Conn) Query(ctx context.Context, sql string, params []any) (rows *Rows, taken int, err error) {
	c.guard.ask()
	if isVacuum(sql) {
		return nil, 0, refusedError("VACUUM is refused: it rewrites the file of one node, and cannot run in a transaction")
	}
	stmt, err := c.compile(ctx, sql)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			err = with(err, c.finalize(stmt))
		}
	}()
	if err := whole(stmt); err != nil {
		return nil, 0, err
	}
	if c.mode == Reader && !stmt.Readonly() && !explains(stmt) {
		return nil, 0, refusedError("a statement that changes data is refused on a connection for reading")
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
		c.around.weigh(longestLiteral(sql))
	}
	raw, err := c.start(ctx, stmt, params[:taken])
	if err != nil {
		return nil, taken, because(ctx, c.explain(err))
	}
	rows = &Rows{ctx: ctx, conn: c, stmt: stmt, raw: raw, reserved: reserved}
	if err := rows.first(); err != nil {
		return nil, taken, with(err, c.around.metered(raw.Close))
	}
	return rows, taken, nil
}

// statementCost is what each statement costs beside its steps, in steps.
const statementCost = 500

// compile compiles a statement, anew: one that was kept would have its steps of before.
func (c *Conn) compile(ctx context.Context, sql string) (stmt *sqlite3.SQLiteStmt, err error) {
	defer c.noteKept(c.around.taken())
	c.around.weigh(-1)
	c.around.charge(statementCost + int64(len(sql)))
	err = c.around.metered(func() error {
		prepared, err := c.raw.PrepareContext(ctx, sql)
		if err == nil {
			stmt = prepared.(*sqlite3.SQLiteStmt)
		}
		return err
	})
	if err == nil && c.around.spent() {
		return nil, with(ErrBudget, stmt.Close())
	}
	return stmt, c.explain(err)
}

// start binds the parameters and takes the first step.
func (c *Conn) start(ctx context.Context, stmt *sqlite3.SQLiteStmt, params []any) (rows *sqlite3.SQLiteRows, err error) {
	err = c.around.metered(func() error {
		raw, err := stmt.QueryContext(ctx, named(params))
		if err == nil {
			rows = raw.(*sqlite3.SQLiteRows)
		}
		return err
	})
	return rows, err
}

// finalize ends a statement, and with it what it holds.
func (c *Conn) finalize(stmt *sqlite3.SQLiteStmt) error {
	return c.around.metered(func() error { return c.end(stmt) })
}

func (c *Conn) end(stmt *sqlite3.SQLiteStmt) error {
	if c.mode == Writer {
		c.around.ended(stmt)
	}
	return stmt.Close()
}

// Rows walks over the rows of one statement.
type Rows struct {
	ctx      context.Context
	conn     *Conn
	stmt     *sqlite3.SQLiteStmt
	raw      *sqlite3.SQLiteRows
	columns  []Column
	row      []driver.Value
	values   []any
	pending  error // what the first step gave, until Next asks
	begun    bool
	reserved int64 // reserved tables before the statement, if it may rename one
}

// first takes the first row, which tells the storage class of columns that
// declare none.
func (r *Rows) first() error {
	names := r.raw.Columns()
	r.columns = make([]Column, len(names))
	r.row = make([]driver.Value, len(names))
	r.values = make([]any, len(names))
	for i, name := range names {
		r.columns[i] = Column{Name: name, Type: r.raw.ColumnTypeDatabaseTypeName(i)}
	}
	// The driver would turn values of columns declared DATE, TIMESTAMP or
	// BOOLEAN into Go's types and lose what was stored. It looks the
	// declarations up in this slice.
	clear(r.raw.DeclTypes())

	// The driver has taken the first step already.
	r.pending = r.came(r.raw.Next(r.row))
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
	return r.came(r.conn.around.metered(func() error { return r.raw.Next(r.row) }))
}

// came is what a step came to.
func (r *Rows) came(err error) error {
	err = because(r.ctx, r.conn.explain(err))
	if err == io.EOF {
		return r.conn.aftermath(r.reserved)
	}
	return err
}

// because is err, or why ctx has ended if that is all it says.
func because(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return err
}

// Columns are the answer's columns; none for a statement without rows.
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

// Close ends the statement. It is safe to call twice.
func (r *Rows) Close() error {
	if r.stmt == nil {
		return nil
	}
	err := r.conn.around.metered(func() error { return errors.Join(r.raw.Close(), r.conn.end(r.stmt)) })
	r.stmt = nil
	return err
}

// with is err, as it is unless the closing that followed it failed too.
func with(err, closing error) error {
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

// CheckParams returns an error if a parameter is of no storage class.
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
