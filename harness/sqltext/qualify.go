package sqltext

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Qualify returns the statement as SQLite is to see it. Every name written with a namespace becomes
// the one identifier it is stored under, and a parameter $1 becomes ?1, which SQLite binds by its
// number. Text with neither comes back as it is.
//
// exists is asked about namespaces in lower case, never about main and temp. A name in a namespace
// that does not exist is an *UnknownNamespaceError.
func (s Statement) Qualify(exists func(namespace string) bool) (string, error) {
	if s.plain || !strings.ContainsAny(s.Text, ".$") {
		return s.Text, nil
	}
	tokens, err := lex(s.Text)
	if err != nil {
		return "", err
	}
	q := qualifier{
		reader:     reader{sql: s.Text, tokens: tokens},
		exists:     exists,
		references: make([]reference, 0, 8), // so few that they cost no allocation
		edits:      make([]edit, 0, 8),
	}
	q.statement()
	q.resolve()
	q.numberParameters()
	if q.err != nil {
		return "", q.err
	}
	return q.rewritten(), nil
}

// qualifier walks over the tokens of one statement and collects what is to change. It stops at its
// first error.
type qualifier struct {
	reader
	exists  func(string) bool
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
