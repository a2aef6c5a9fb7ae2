package dialect

import (
	"context"
	"fmt"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Family is the dialect of a family of databases, as data: PostgreSQL and MySQL return the two that are there. An adapter
// for a relative of one changes what differs, before first use.
type Family struct {
	// Name is for messages.
	Name string
	// CreateNamespace and DropNamespace are statements about a namespace, where %s is its name. DropNamespace drops one
	// that holds nothing, Cascade one with its tables; an empty DropNamespace is Cascade.
	CreateNamespace, DropNamespace, Cascade string
	// Dollar tells that parameters are $1, $2, …; they are ? else.
	Dollar bool
	// Types are the types of columns, by SQLite's name in upper case, such as "BLOB". Another name is passed on.
	Types map[string]string
	// Casts are the types in CAST, by SQLite's name; one that is missing is as in Types.
	Casts map[string]string
	// KeyText is the type of text in a PRIMARY KEY or UNIQUE constraint; empty is as in Types.
	KeyText string
	// Serial is what stands for INTEGER PRIMARY KEY. In it {table}, {column} and {sequence} stand for names, and
	// {column text} and {sequence text} for names as strings.
	Serial string
	// AfterSerial is a further statement after a table with such a key was made, with the same names; empty is none.
	AfterSerial string
	// Blob is the literal of a blob, where %s is its hexadecimal digits.
	Blob string
	// Functions are SQLite's functions that the database has under that name, or that Setup makes. A value with
	// parentheses stands for a whole call without arguments. Other functions of SQLite cannot be said.
	Functions map[string]string
	// Reserved are names of the suite, in lower case, that must be quoted.
	Reserved []string
	// OwnDefaults tells that the default of a column may call a function that Setup makes.
	OwnDefaults bool
	// OnConflict tells that the database has ON CONFLICT; else it has INSERT IGNORE, REPLACE and ON DUPLICATE KEY UPDATE.
	OnConflict bool
	// Returning are the verbs whose RETURNING clause the database has.
	Returning []string
	// WithFirst tells that WITH may stand before INSERT.
	WithFirst bool
	// Partial tells that an index may have a WHERE clause.
	Partial bool
	// TextDefaults tells that the default of a text or blob column may stand without parentheses.
	TextDefaults bool
	// RenamesWithin tells that ALTER TABLE … RENAME TO keeps the schema of the table.
	RenamesWithin bool
	// SchemaCommits tells that a change of the schema commits by itself.
	SchemaCommits bool
	// IndexTable is a query for the table of an index, where %s is the schema and then the index, for a database whose
	// DROP INDEX names the table; empty is for others.
	IndexTable string
	// Same and Differs are the operators for IS and IS NOT between two values; empty for one that it does not have.
	Same, Differs string
	// Setup are the statements with which an administrator prepares the database, once: they make the functions, casts and
	// views that the translations need. They may be executed again.
	Setup []string
}

// Translate says a request in the words of the family.
func (f *Family) Translate(ctx context.Context, request target.Request, lookup Lookup) ([]Statement, error) {
	parts, err := split(request)
	if err != nil {
		return nil, err
	}
	statements := make([]Statement, 0, len(parts))
	for _, p := range parts {
		translated, err := f.statement(ctx, p, lookup)
		if err != nil {
			return nil, err
		}
		statements = append(statements, translated...)
	}
	return statements, nil
}

func (f *Family) statement(ctx context.Context, p part, lookup Lookup) ([]Statement, error) {
	switch p.Kind {
	case sqltext.CreateNamespace:
		text := f.CreateNamespace
		if p.IfNotExists {
			text = strings.Replace(text, "CREATE SCHEMA ", "CREATE SCHEMA IF NOT EXISTS ", 1)
			text = strings.Replace(text, "CREATE DATABASE ", "CREATE DATABASE IF NOT EXISTS ", 1)
		}
		return f.schema(fmt.Sprintf(text, quoted(p.Namespace))), nil
	case sqltext.DropNamespace:
		text := f.DropNamespace
		if p.Cascade || text == "" {
			text = f.Cascade
		}
		if p.IfExists {
			text = strings.Replace(text, "DROP SCHEMA ", "DROP SCHEMA IF EXISTS ", 1)
			text = strings.Replace(text, "DROP DATABASE ", "DROP DATABASE IF EXISTS ", 1)
		}
		return f.schema(fmt.Sprintf(text, quoted(p.Namespace))), nil
	case sqltext.Other:
	}
	r, err := newRewriter(f, p)
	if err != nil {
		return nil, err
	}
	if err := r.rewrite(ctx, lookup); err != nil {
		return nil, err
	}
	s := p.statement(r.String())
	s.Params = r.params
	s.Commits = f.SchemaCommits && p.ChangesSchema()
	statements := []Statement{s}
	for _, text := range r.after {
		statements = append(statements, Statement{SQL: text, Hidden: true, Commits: s.Commits})
	}
	return statements, nil
}

// schema is a statement that changes the schema.
func (f *Family) schema(text string) []Statement {
	return []Statement{{SQL: text, Commits: f.SchemaCommits}}
}

// quoted is a name as a quoted identifier.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
