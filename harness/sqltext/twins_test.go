package sqltext_test

import (
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/mattn/go-sqlite3"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// twins are two databases that must give the same results: in one the namespaces ns, a and b are
// attached files, in the other they are emulated by rewriting.
type twins struct {
	attached, emulated *sql.DB
}

func newTwins() (*twins, error) {
	t := &twins{}
	for _, db := range []**sql.DB{&t.attached, &t.emulated} {
		opened, err := sql.Open("sqlite3", ":memory:?_foreign_keys=1")
		if err != nil {
			return nil, err
		}
		opened.SetMaxOpenConns(1) // each connection has its own in-memory database
		*db = opened
	}
	for _, namespace := range []string{"ns", "a", "b"} {
		if _, err := t.attached.Exec("ATTACH ':memory:' AS " + namespace); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *twins) Close() error {
	if err := t.attached.Close(); err != nil {
		return err
	}
	return t.emulated.Close()
}

// answer is the result of a statement in one of the twins.
type answer struct {
	Columns []string
	Rows    []string
	Err     error
}

func ask(db *sql.DB, statement string, args ...any) answer {
	rows, err := db.Query(statement, args...)
	if err != nil {
		return answer{Err: err}
	}
	defer rows.Close()
	var a answer
	a.Columns, _ = rows.Columns()
	for rows.Next() {
		values := make([]any, len(a.Columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			return answer{Err: err}
		}
		row := ""
		for _, v := range values {
			row += fmt.Sprintf("%#v|", *v.(*any))
		}
		a.Rows = append(a.Rows, row)
	}
	a.Err = rows.Err()
	return a
}

// named returns the column names. A name that SQLite derives from an expression with a qualified
// column is replaced, because it is the rewritten text.
func (a answer) named() []string {
	var named []string
	for _, c := range a.Columns {
		if strings.Contains(c, ".") {
			c = "."
		}
		named = append(named, c)
	}
	return named
}

// both runs a statement in both twins.
func (t *twins) both(statement string, args ...any) (attached, emulated answer) {
	attached = ask(t.attached, statement, args...)
	rewritten, err := sqltext.Statement{Text: statement}.Qualify(known)
	if err != nil {
		return attached, answer{Err: err}
	}
	emulated = ask(t.emulated, rewritten, args...)
	if emulated.Err != nil {
		emulated.Err = fmt.Errorf("%s: %w", rewritten, emulated.Err)
	}
	return attached, emulated
}
