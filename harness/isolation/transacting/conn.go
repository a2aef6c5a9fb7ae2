//go:build cgo

package transacting

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-sqlite3"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// conn is a connection to a database in memory of its own.
type conn struct {
	*sqlite3.SQLiteConn
	touched map[row]struct{} // rows that were inserted, updated or deleted
}

type row struct {
	table string
	id    int64
}

func open() (*conn, error) {
	opened, err := (&sqlite3.SQLiteDriver{}).Open(":memory:")
	if err != nil {
		return nil, err
	}
	c := &conn{opened.(*sqlite3.SQLiteConn), make(map[row]struct{})}
	c.RegisterUpdateHook(func(_ int, _, table string, id int64) { c.touched[row{table, id}] = struct{}{} })
	return c, nil
}

// copy returns a connection to a copy.
func (c *conn) copy() (*conn, error) {
	to, err := open()
	if err != nil {
		return nil, err
	}
	backup, err := to.Backup("main", c.SQLiteConn, "main")
	if err == nil {
		_, err = backup.Step(-1)
		err = errors.Join(err, backup.Finish())
	}
	if err != nil {
		return nil, errors.Join(err, to.Close())
	}
	return to, nil
}

// replay executes what changes data, and ignores errors: a statement may depend on one that is not there.
func (c *conn) replay(all []*said) {
	for _, s := range all {
		if writes(s.request) {
			_, _ = c.atomically(s.request)
		}
	}
}

// atomically executes a request as a whole, or not at all.
func (c *conn) atomically(r target.Request) (results []sqldb.Result, err error) {
	err = c.within(func() error { results, err = c.run(r); return err })
	return results, err
}

func (c *conn) within(do func() error) error {
	if _, err := c.Exec("BEGIN", nil); err != nil {
		return err
	}
	err := do()
	if err == nil {
		_, err = c.Exec("COMMIT", nil)
	}
	if err != nil {
		_, _ = c.Exec("ROLLBACK", nil) // fails if the error has ended the transaction
	}
	return err
}

func (c *conn) run(r target.Request) (results []sqldb.Result, err error) {
	statements, err := sqltext.Split(r.SQL)
	if err != nil {
		return nil, err
	}
	params := r.Params
	for _, s := range statements {
		n := s.Parameters()
		if n > len(params) {
			return nil, fmt.Errorf("%d parameters are missing", n-len(params))
		}
		one, err := c.one(s, params[:n])
		if err != nil {
			return nil, err
		}
		params = params[n:]
		results = append(results, one)
	}
	return results, nil
}

func (c *conn) one(s sqltext.Statement, params []any) (r sqldb.Result, err error) {
	r.Counted = true
	switch s.Kind {
	case sqltext.CreateNamespace:
		return r, nil // a namespace is a beginning of names
	case sqltext.DropNamespace:
		return r, c.drop(s.Namespace)
	case sqltext.Other:
	}
	text, err := s.Qualify(func(string) bool { return true })
	if err != nil {
		return r, err
	}
	args := make([]driver.Value, len(params))
	for i, p := range params {
		args[i] = p
	}
	r.Columns, r.Rows, err = c.query(text, args)
	if err == nil && s.ChangesRows() {
		_, changes, err := c.query("SELECT changes()", nil)
		if err != nil {
			return r, err
		}
		r.Affected = changes[0][0].(int64)
	}
	return r, err
}

func (c *conn) query(text string, args []driver.Value) (columns []target.Column, all [][]any, err error) {
	answer, err := c.SQLiteConn.Query(text, args)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, answer.Close()) }()
	for _, name := range answer.Columns() {
		columns = append(columns, target.Column{Name: name})
	}
	for {
		row := make([]driver.Value, len(columns))
		switch err := answer.Next(row); {
		case errors.Is(err, io.EOF):
			return columns, all, nil
		case err != nil:
			return nil, nil, err
		}
		values := make([]any, len(row))
		for i, v := range row {
			values[i] = v
		}
		all = append(all, values)
	}
}

// drop drops the tables of a namespace.
func (c *conn) drop(namespace string) error {
	_, names, err := c.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, ?) = ?",
		[]driver.Value{int64(len(namespace) + 1), namespace + "."})
	for _, name := range names {
		if err == nil {
			_, err = c.Exec(`DROP TABLE "`+strings.ReplaceAll(name[0].(string), `"`, `""`)+`"`, nil)
		}
	}
	return err
}

// writes tells whether a request may change data.
func writes(r target.Request) bool {
	statements, err := sqltext.Split(r.SQL)
	for _, s := range statements {
		if !s.Reads() {
			return true
		}
	}
	return err != nil
}

// failed is the error of a statement.
func failed(n *node, err error) error {
	e := &target.Error{Node: n.ID(), Code: "SQL", Message: err.Error(), Outcome: target.NotApplied, Cause: err}
	var said sqlite3.Error
	switch {
	case errors.As(err, &said) && said.Code == sqlite3.ErrConstraint:
		e.Kind = target.ErrConstraint
	case strings.Contains(err.Error(), "no such table"):
		e.Kind = target.ErrNoSuchTable
	}
	return e
}
