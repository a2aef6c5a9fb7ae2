package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// ErrRefused marks statements the guard refused; the message says why.
var ErrRefused = errors.New("refused")

// ErrBudget marks a statement that took more steps than it was given.
var ErrBudget = errors.New("statement takes too many steps")

// ParamCountError says that a statement was given another number of
// parameters than it asks for.
type ParamCountError struct{ Want, Got int }

func (e *ParamCountError) Error() string {
	return fmt.Sprintf("the statements ask for %d parameters, %d were given", e.Want, e.Got)
}

// refusedError is ErrRefused with its reason as the whole message.
type refusedError string

func (e refusedError) Error() string        { return string(e) }
func (e refusedError) Is(target error) bool { return target == ErrRefused }

// Environmental tells whether err came from a node's surroundings (its disk,
// its memory) and not from the statement. Other replicas may not have met it,
// so the node that did must not go on as if the statement had failed.
// The codes: https://sqlite.org/rescode.html
func Environmental(err error) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrIoErr, sqlite3.ErrFull, sqlite3.ErrNomem, sqlite3.ErrCorrupt, sqlite3.ErrCantOpen,
		sqlite3.ErrReadonly, sqlite3.ErrNotADB, sqlite3.ErrProtocol, sqlite3.ErrBusy, sqlite3.ErrLocked,
		sqlite3.ErrPerm, sqlite3.ErrNoLFS, sqlite3.ErrInternal, sqlite3.ErrMisuse:
		return true
	}
	return false
}
