package sqltext_test

import (
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/mattn/go-sqlite3"

	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// twins are two databases that must answer alike: in one the namespaces ns, a and b are attached
// files that SQLite knows, in the other they are made of text.
type twins struct {
	attached, illusion *sql.DB
}

func newTwins() (*twins, error) {
	t := &twins{}
	for _, db := range []**sql.DB{&t.attached, &t.illusion} {
		opened, err := sql.Open("sqlite3", ":memory:?_foreign_keys=1")
		if err != nil {
			return nil, err
		}
		opened.SetMaxOpenConns(1) // each connection would have a memory of its own
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
	return t.illusion.Close()
}

// answer is what a statement says in one of the twins.
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

// named are the columns, but for those that SQLite names after the text of an expression with a
// table's name in it: that text is not the one written.
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

// both asks both twins.
func (t *twins) both(statement string, args ...any) (attached, illusion answer) {
	attached = ask(t.attached, statement, args...)
	rewritten, err := sqltext.Statement{Text: statement}.Qualify(known)
	if err != nil {
		return attached, answer{Err: err}
	}
	illusion = ask(t.illusion, rewritten, args...)
	if illusion.Err != nil {
		illusion.Err = fmt.Errorf("%s: %w", rewritten, illusion.Err)
	}
	return attached, illusion
}
