package target

import (
	"context"
	"errors"
	"fmt"
)

// SQL executes statements on one node. It must be safe for concurrent use.
type SQL interface {
	// Query sends a request. It blocks until the answer begins. The caller must close the Rows.
	// When ctx ends, the request is aborted, even while rows are read. Errors are *Error, or
	// wrap one, where more is known than that something failed.
	Query(ctx context.Context, request Request) (Rows, error)
}

// Consistency is how recent the state that a read returns must be.
type Consistency string

const (
	Default Consistency = ""       // the default of the database
	Local   Consistency = "local"  // the state of the node itself, however old
	Leader  Consistency = "leader" // what the leader has applied
	Strong  Consistency = "strong" // linearizable
)

// Request is one or more statements that are executed as one transaction.
type Request struct {
	SQL         string
	Params      []any // nil, int64, float64, string or []byte
	Consistency Consistency
	// ID is the idempotency key of a request that changes data: a request that is sent again
	// with its ID is applied once, on a Deduplicator. Another request with the same ID fails
	// with ErrKeyReused and the outcome NotApplied. Empty is no ID.
	ID string
}

// Column is a column of a result.
type Column struct{ Name, Type string }

// Rows iterates over the results of a request, one per statement, and over the rows of each. It
// holds one row at a time, and is not safe for concurrent use.
//
//	for rows.NextResult() {
//		for rows.Next() {
//			use(rows.Row())
//		}
//	}
//	err := rows.Err() // nil if the answer is complete
type Rows interface {
	// NextResult moves to the result of the next statement. It blocks until that begins, and
	// returns false after the last one or on an error.
	NextResult() bool
	// Columns are the columns of the current result.
	Columns() []Column
	// Next moves to the next row. It blocks until that arrives, and returns false after the
	// last row of the result or on an error.
	Next() bool
	// Raw is the row in an encoding of the database, valid until Next. Rows are equal if and
	// only if their encodings are.
	Raw() []byte
	// Row is the row as values: nil, int64, float64, string or []byte.
	Row() ([]any, error)
	// Affected is the number of rows that the statement changed, and whether it is known. It is
	// known after the last row.
	Affected() (int64, bool)
	// Changed tells whether the request went through the log as one that changes data.
	Changed() bool
	// Err is the error that ended the iteration; nil if the answer is complete.
	Err() error
	// Close releases the answer, and aborts the request if the answer is not complete. It must
	// be called once, and may be called before the last row.
	Close() error
}

// Outcome tells whether a request that changes data was applied.
type Outcome int

const (
	// Unknown: it may have been applied, or may still be. It must not be retried without an ID,
	// and does not count as a failure.
	Unknown Outcome = iota
	// NotApplied: it was not applied, and will not be.
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
	case Unknown:
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
