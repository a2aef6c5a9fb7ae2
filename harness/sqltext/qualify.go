package sqltext

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Qualified is a statement as SQLite is to see it.
type Qualified struct {
	SQL string
	// Defines is what the statement creates in a namespace, or the new name it gives a table
	// there. It is zero for all other statements.
	Defines Name
}

// Qualify returns the text of Rewrite for a database that knows which namespaces there are, and not
// what is in them. exists is asked about namespaces in lower case, never about main and temp.
func (s Statement) Qualify(exists func(namespace string) bool) (string, error) {
	qualified, err := s.Rewrite(func(name Name) error {
		if !exists(name.Namespace) {
			return &UnknownNamespaceError{name.Namespace}
		}
		return nil
	})
	return qualified.SQL, err
}

// Rewrite returns the statement as SQLite is to see it. Every name written with a namespace becomes
// the one identifier it is stored under, and a parameter $1 becomes ?1, which SQLite binds by its
// number. Text with neither comes back as it is.
//
// check is asked about every name written with a namespace other than main and temp, and returns an
// error if the name cannot mean an object of that namespace. The first error is Rewrite's own.
func (s Statement) Rewrite(check func(Name) error) (Qualified, error) {
	if s.plain || !strings.ContainsAny(s.Text, ".$") {
		return Qualified{SQL: s.Text}, nil
	}
	tokens, err := lex(s.Text)
	if err != nil {
		return Qualified{}, err
	}
	q := qualifier{
		reader:     reader{sql: s.Text, tokens: tokens},
		check:      check,
		references: make([]reference, 0, 8), // so few that they cost no allocation
		edits:      make([]edit, 0, 8),
	}
	q.statement()
	q.resolve()
	q.numberParameters()
	if q.err != nil {
		return Qualified{}, q.err
	}
	return Qualified{SQL: q.rewritten(), Defines: q.defines}, nil
}

// qualifier walks over the tokens of one statement and collects what is to change. It stops at its
// first error.
type qualifier struct {
	reader
	check   func(Name) error
	defines Name
	depth   int    // of parentheses
	home    string // the namespace of the table being defined
	trigger bool   // in a trigger, whose statements can give their table no alias

	sources    []*source
	references []reference
	edits      []edit
	err        error
}

// edit replaces the bytes between two offsets.
type edit struct {
	from, to int
	text     string
}

func (q *qualifier) rewritten() string {
	if len(q.edits) == 0 {
		return q.sql
	}
	slices.SortFunc(q.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	out := make([]byte, 0, len(q.sql)+16*len(q.edits))
	write := func(text string) {
		// Two names side by side would be one with a quote in it.
		if len(out) > 0 && out[len(out)-1] == '"' && at(text, 0) == '"' {
			out = append(out, ' ')
		}
		out = append(out, text...)
	}
	done := 0
	for _, e := range q.edits {
		write(q.sql[done:e.from])
		write(e.text)
		done = e.to
	}
	write(q.sql[done:])
	return string(out)
}

func (q *qualifier) numberParameters() {
	for _, t := range q.tokens {
		if t.kind == parameter && isNumbered(q.spelled(t)) {
			q.edits = append(q.edits, edit{t.at, t.at + 1, "?"})
		}
	}
}

func (q *qualifier) fail(format string, args ...any) {
	q.stop(fmt.Errorf(format, args...))
}

func (q *qualifier) stop(err error) {
	if q.err == nil {
		q.err = err
	}
	q.next = len(q.tokens)
}
