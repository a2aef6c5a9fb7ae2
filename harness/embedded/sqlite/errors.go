package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// ErrRefused marks statements the guard refused; the message says why.
var ErrRefused = errors.New("refused")

// What ends a request that wants more than it is given.
var (
	ErrBudget   = errors.New("the statements take too many steps: do it in smaller parts")
	ErrMemory   = errors.New("the statements need too much memory at once: do it in smaller parts")
	ErrTooLarge = errors.New("the statement is too large to be compiled")
)

// TooBig tells whether the error is that of a value longer than any may be.
func TooBig(err error) bool {
	e, is := errors.AsType[sqlite3.Error](err)
	return is && e.Code == sqlite3.ErrTooBig
}

// ErrInterrupted marks a statement that ended because its connection was interrupted.
var ErrInterrupted = errors.New("the statement was interrupted")

// ParamCountError says that statements were given another number of parameters
// than they ask for together.
type ParamCountError struct{ Want, Got int }

func (e *ParamCountError) Error() string {
	asked, given := "parameters", "were"
	if e.Want == 1 {
		asked = "parameter"
	}
	if e.Got == 1 {
		given = "was"
	}
	return fmt.Sprintf("the statements need %d %s, %d %s given", e.Want, asked, e.Got, given)
}

// Refuse returns an error that is ErrRefused, with the reason as its message.
func Refuse(reason string) error { return refusedError(reason) }

// refusedError is ErrRefused with its reason as the whole message.
type refusedError string

func (e refusedError) Error() string        { return string(e) }
func (e refusedError) Is(target error) bool { return target == ErrRefused }

// DamagedError says that a page that was read is not as it was written. Nothing
// of it was handed on.
type DamagedError struct {
	File string // the database or its write-ahead log
	Page uint32 // from 1; 0 if the log has lost its index, and with it its use
}

func (e *DamagedError) Error() string {
	if e.Page == 0 {
		return e.File + ": its index is damaged or lost, and what is in it with it"
	}
	return fmt.Sprintf("%s: page %d is damaged: it is not as its sum says it was written", e.File, e.Page)
}

// Damaged tells whether err says that the database in its file is not what was
// written there, or cannot be read.
func Damaged(err error) bool {
	if _, damaged := errors.AsType[*DamagedError](err); damaged {
		return true
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return false
	}
	switch primary(e) {
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return true
	case sqlite3.ErrIoErr:
		return e.ExtendedCode == sqlite3.ErrIoErrRead
	}
	return false
}

// primary is the error's code proper: where the driver knows no other, it has the
// extended code in its place.
func primary(e sqlite3.Error) sqlite3.ErrNo { return e.Code & sqlite3.ErrNo(sqlite3.ErrNoMask) }

// Environmental tells whether err came from a node's surroundings (its disk,
// its memory) and not from the statement. Other replicas may not have met it,
// so the node that did must not go on as if the statement had failed.
// The codes: https://sqlite.org/rescode.html
func Environmental(err error) bool {
	if Damaged(err) || errors.Is(err, ErrInterrupted) {
		return true
	}
	e, ok := errors.AsType[sqlite3.Error](err)
	if !ok {
		return false
	}
	switch primary(e) {
	case sqlite3.ErrIoErr, sqlite3.ErrFull, sqlite3.ErrNomem, sqlite3.ErrCorrupt, sqlite3.ErrCantOpen,
		sqlite3.ErrReadonly, sqlite3.ErrNotADB, sqlite3.ErrProtocol, sqlite3.ErrBusy, sqlite3.ErrLocked,
		sqlite3.ErrPerm, sqlite3.ErrNoLFS, sqlite3.ErrInternal, sqlite3.ErrMisuse:
		return true
	}
	return false
}
