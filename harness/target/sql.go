package target

import (
	"context"
	"errors"
	"fmt"
)

// SQL is a place where statements can be run.
type SQL interface {
	// Query runs a request. It blocks until the answer has begun, and the Rows
	// must be closed. Ending ctx ends the request, before and after that.
	// Errors are *Error where more is known than that something failed.
	Query(ctx context.Context, request Request) (Rows, error)
}

// Consistency is how fresh a read must be.
type Consistency string

const (
	Default Consistency = ""       // what the database does unless told otherwise
	Local   Consistency = "local"  // the state of the node that is asked, however old
	Leader  Consistency = "leader" // what the leader has applied
	Strong  Consistency = "strong" // linearizable
)

// Request is one or more statements, which are one transaction.
type Request struct {
	SQL         string
	Params      []any // nil, int64, float64, string or []byte
	Consistency Consistency
	// ID names a request that changes data: however often it is sent, it is
	// applied once. Another request of that ID is refused, with the outcome
	// NotApplied. Empty for no such promise.
	ID string
}

// Column is a column of a result.
type Column struct{ Name, Type string }

// Rows walks over the results of a request, one a statement, and over the rows
// of each; it holds one row at a time. It is for one goroutine.
//
//	for rows.NextResult() {
//		for rows.Next() {
//			use(rows.Row())
//		}
//	}
//	err := rows.Err() // an answer without an error here is whole
type Rows interface {
	NextResult() bool
	Columns() []Column
	Next() bool
	// Raw is the row as bytes, valid until Next: rows are equal exactly if
	// their bytes are.
	Raw() []byte
	// Row is the row as values: nil, int64, float64, string or []byte.
	Row() ([]any, error)
	// Affected is the number of rows the statement changed, if it is known.
	// Known after its last row.
	Affected() (int64, bool)
	// Changed tells whether the request went through the log, as one that
	// changes data.
	Changed() bool
	Err() error
	Close() error
}

// Outcome is what became of a request that changes data.
type Outcome int

const (
	// Unknown: nobody knows; it may have been applied, or may still be. Never
	// to be retried blindly, never to be counted as a failure.
	Unknown Outcome = iota
	// NotApplied: it was not applied and will not be.
	NotApplied
	// Applied: it was applied.
	Applied
)

func (o Outcome) String() string {
	switch o {
	case NotApplied:
		return "not applied"
	case Applied:
		return "applied"
	}
	return "unknown"
}

// Error is the error of a request. A target returns it, or an error that wraps it, wherever
// it knows more than that something failed.
type Error struct {
	Node    string  // ID of the node that was asked
	Code    string  // the database's own, for its own tools; nothing in this module depends on it
	Message string  // for people
	Outcome Outcome // what became of the request
	// Kind is one of the kinds in this package, such as ErrNoLeader; nil if none fits.
	// errors.Is(err, Kind) holds.
	Kind error
	// Temporary tells that the request itself is sound: sent again, later or to another
	// node, it may succeed.
	Temporary bool
	Cause     error // what lies below, if anything
}

// Error is the error in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("node %s: %s: %s (%s)", e.Node, e.Code, e.Message, e.Outcome)
}

// Is tells whether the error is of that kind, for errors.Is.
func (e *Error) Is(kind error) bool { return e.Kind != nil && errors.Is(e.Kind, kind) }

// Unwrap returns the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// OutcomeOf is what an error of Query or Rows says about the request: Applied for nil, and
// Unknown for an error that says nothing.
func OutcomeOf(err error) Outcome {
	var e *Error
	switch {
	case err == nil:
		return Applied
	case errors.As(err, &e):
		return e.Outcome
	}
	return Unknown
}
