package dialect

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Statement is one statement in the words of a database.
type Statement struct {
	SQL    string
	Params []any
	// Reads tells that it can only read.
	Reads bool
	// Returns tells that it answers with rows.
	Returns bool
	// Counts tells that it inserts, updates or deletes rows, whose number the answer has.
	Counts bool
	// Commits tells that the database commits before and after it, whatever the transaction: schema changes of MySQL.
	Commits bool
	// Hidden tells that its result is not part of the answer.
	Hidden bool
}

// Lookup asks the database while a request is translated, within the transaction of the request where there is one.
type Lookup func(ctx context.Context, sql string, params ...any) (rows [][]any, err error)

// Dialect translates requests.
type Dialect interface {
	// Translate returns the statements of a request, in order. It blocks on lookup only. Errors are an *Error of package
	// target, or wrap one, with the outcome NotApplied; for what the database cannot say it is an *UnsupportedError.
	Translate(ctx context.Context, request target.Request, lookup Lookup) ([]Statement, error)
}

// Plain is the dialect of a database that takes the suite's SQL as it is. Parameters are distributed over the statements.
type Plain struct{}

// Translate splits the request into its statements.
func (Plain) Translate(_ context.Context, request target.Request, _ Lookup) ([]Statement, error) {
	parts, err := split(request)
	if err != nil {
		return nil, err
	}
	statements := make([]Statement, len(parts))
	for i, p := range parts {
		statements[i] = p.statement(p.Text)
	}
	return statements, nil
}

// part is a statement of a request with its parameters.
type part struct {
	sqltext.Statement
	params []any
}

// statement is the part with another text.
func (p part) statement(text string) Statement {
	return Statement{
		SQL: text, Params: p.params,
		Reads: p.Reads(), Returns: p.Reads() || returns(p.Text), Counts: p.ChangesRows(),
	}
}

// split returns the statements of a request, each with its parameters.
func split(request target.Request) ([]part, error) {
	statements, err := sqltext.Split(request.SQL)
	if err != nil {
		return nil, &target.Error{Code: "SYNTAX", Message: err.Error(), Kind: target.ErrSyntax, Outcome: target.NotApplied, Cause: err}
	}
	parts := make([]part, len(statements))
	left := request.Params
	for i, s := range statements {
		n := s.Parameters()
		if n > len(left) {
			return nil, wrongParameters(statements, len(request.Params))
		}
		parts[i] = part{s, left[:n:n]}
		left = left[n:]
	}
	if len(left) > 0 {
		return nil, wrongParameters(statements, len(request.Params))
	}
	return parts, nil
}
