package sqltext

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Qualified is a statement rewritten for SQLite.
type Qualified struct {
	SQL string
	// Defines is the object that the statement creates in a namespace, or the new name that it
	// gives a table there. It is zero for all other statements.
	Defines Name
}

// Qualify is Rewrite for callers that only know which namespaces exist. exists is called with
// namespaces in lower case, never with main or temp.
func (s Statement) Qualify(exists func(namespace string) bool) (string, error) {
	qualified, err := s.Rewrite(func(name Name) error {
		if !exists(name.Namespace) {
			return &UnknownNamespaceError{name.Namespace}
		}
		return nil
	})
	return qualified.SQL, err
}

// Rewrite returns the statement for SQLite. Each name written with a namespace becomes the
// identifier under which it is stored. A parameter $1 becomes ?1, which SQLite binds by number.
// Other text is unchanged.
//
// check is called for each name written with a namespace other than main and temp, and returns an
// error if the name cannot refer to an object of that namespace. Rewrite returns the first error
// of check unchanged, or an error for text that cannot be rewritten.
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
		references: make([]reference, 0, 8), // small enough to stay off the heap
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

// qualifier parses the tokens of one statement and collects edits. It stops at the first error.
type qualifier struct {
	reader
	check   func(Name) error
	defines Name
	depth   int    // nesting depth of parentheses
	home    string // the namespace of the table being defined
	trigger bool   // in a trigger, whose statements cannot alias their table

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
		// Two adjacent quoted names would be read as one name with a quote in it.
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
