package dialect

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// UnsupportedError says that a database has no words for a statement of the suite. errors.As finds it in the error of a
// request, whose kind is target.ErrNoWords. A spec that fails because of it is skipped with its sentence.
type UnsupportedError struct {
	Dialect   string // the database's family, such as "PostgreSQL"
	Statement string // as the suite wrote it
	Reason    string // what it has no words for, after "cannot say"
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s cannot say %s: %s", e.Dialect, e.Reason, sqltext.Abridged(e.Statement))
}

// Unsupported is an UnsupportedError as the error of a request, for the dialect of an adapter.
func Unsupported(dialect, statement, reason string) error {
	return unsupported(dialect, statement, "%s", reason)
}

// unsupported is an UnsupportedError as the error of a request.
func unsupported(dialect, statement, reason string, args ...any) error {
	err := &UnsupportedError{dialect, statement, fmt.Sprintf(reason, args...)}
	return &target.Error{Code: "UNSUPPORTED", Message: err.Error(), Kind: target.ErrNoWords, Outcome: target.NotApplied, Cause: err}
}

func wrongParameters(statements []sqltext.Statement, given int) error {
	return &target.Error{
		Code: "PARAMETERS", Kind: target.ErrParams, Outcome: target.NotApplied,
		Message: fmt.Sprintf("the request has %d parameters, its statements need %d", given, sqltext.Parameters(statements)),
	}
}
