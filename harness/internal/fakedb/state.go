package fakedb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the database of each node

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// state is what a node holds: a SQLite database in memory, with one more for each namespace.
type state struct {
	db     *sql.DB
	conn   *sql.Conn
	spaces map[string]bool
}

func open() (*state, error) {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &state{db, conn, make(map[string]bool)}, nil
}

func (s *state) close() error { return errors.Join(s.conn.Close(), s.db.Close()) }

// reads tells whether a request only reads.
func reads(text string) bool {
	statements, err := sqltext.Split(text)
	if err != nil {
		return true // it fails wherever it is executed
	}
	for _, one := range statements {
		if !regexp.MustCompile(`(?i)^(SELECT|VALUES|WITH)\b`).MatchString(one.Text) {
			return false
		}
	}
	return true
}

// execute executes a request as one transaction.
func (s *state) execute(request target.Request) ([]sqldb.Result, error) {
	return s.within([]target.Request{request}, true)
}

// within executes requests as one transaction, which is undone unless keep is set. It returns the results of the last one.
func (s *state) within(requests []target.Request, keep bool) (results []sqldb.Result, err error) {
	ctx := context.Background()
	if name, creates, is := namespace(requests[0].SQL); is {
		return []sqldb.Result{{Counted: true}}, s.change(ctx, name, creates)
	}
	tx, err := s.conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, request := range requests {
		if results, err = run(ctx, tx, request); err != nil {
			return nil, errors.Join(err, tx.Rollback())
		}
	}
	if keep {
		return results, tx.Commit()
	}
	return results, tx.Rollback()
}

var ofNamespace = regexp.MustCompile(`(?i)^\s*(CREATE|DROP)\s+NAMESPACE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(\w+)`)

// namespace tells whether the statement creates or drops a namespace.
func namespace(text string) (name string, creates, is bool) {
	m := ofNamespace.FindStringSubmatch(text)
	if m == nil {
		return "", false, false
	}
	return m[2], strings.EqualFold(m[1], "CREATE"), true
}

func (s *state) change(ctx context.Context, name string, creates bool) error {
	switch {
	case creates && s.spaces[name]:
		return &target.Error{Code: "EXISTS", Message: name + " exists", Outcome: target.NotApplied, Kind: target.ErrExists}
	case !creates && !s.spaces[name]:
		return &target.Error{Code: "NONE", Message: "no namespace " + name, Outcome: target.NotApplied, Kind: target.ErrNoSuchNamespace}
	}
	s.spaces[name] = creates
	verb := "DETACH " + name
	if creates {
		verb = "ATTACH ':memory:' AS " + name
	}
	_, err := s.conn.ExecContext(ctx, verb)
	return err
}

func run(ctx context.Context, tx *sql.Tx, request target.Request) (results []sqldb.Result, err error) {
	statements, err := sqltext.Split(request.SQL)
	if err != nil {
		return nil, err
	}
	for _, one := range statements {
		var r sqldb.Result
		if reads(one.Text) {
			r, err = query(ctx, tx, one.Text, request.Params)
		} else {
			var done sql.Result
			if done, err = tx.ExecContext(ctx, one.Text, request.Params...); err == nil {
				r.Affected, err = done.RowsAffected()
				r.Counted = err == nil
			}
		}
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

func query(ctx context.Context, tx *sql.Tx, text string, params []any) (r sqldb.Result, err error) {
	rows, err := tx.QueryContext(ctx, text, params...)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return r, err
	}
	for _, t := range types {
		r.Columns = append(r.Columns, target.Column{Name: t.Name(), Type: t.DatabaseTypeName()})
	}
	for rows.Next() {
		row := make([]any, len(types))
		into := make([]any, len(types))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return r, err
		}
		r.Rows = append(r.Rows, row)
	}
	return r, rows.Err()
}

// digest is a hash of all rows of all tables.
func (s *state) digest() (string, error) {
	h := sha256.New()
	for _, name := range append([]string{"main"}, sorted(s.spaces)...) {
		tables, err := s.execute(target.Request{SQL: "SELECT name FROM " + name + ".sqlite_master WHERE type = 'table' ORDER BY 1"})
		if err != nil {
			return "", err
		}
		for _, table := range tables[0].Rows {
			rows, err := s.execute(target.Request{SQL: fmt.Sprintf(`SELECT * FROM %s.%q ORDER BY 1`, name, table[0])})
			if err != nil {
				return "", err
			}
			if _, err := io.WriteString(h, fmt.Sprint(name, table, rows)); err != nil {
				return "", err
			}
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}

// sorted returns the names that are set, in order.
func sorted(set map[string]bool) []string {
	var names []string
	for name, is := range set {
		if is {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
