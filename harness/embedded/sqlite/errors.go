package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// ErrRefused marks statements refused by the authorizer or a later check. The error text is the
// reason.
var ErrRefused = errors.New("refused")

// Errors of a request that exceeds its limits.
var (
	ErrBudget   = errors.New("the statements take too many steps: split the request")
	ErrMemory   = errors.New("the statements need too much memory at once: split the request")
	ErrTooLarge = errors.New("the statement is too large to be compiled")
)

// TooBig returns whether err says that a value is longer than the limit.
func TooBig(err error) bool {
	e, is := errors.AsType[sqlite3.Error](err)
	return is && e.Code == sqlite3.ErrTooBig
}

// ErrInterrupted marks a statement that ended because its connection was interrupted.
var ErrInterrupted = errors.New("the statement was interrupted")

// ParamCountError says that the number of parameters differs from the number that the statements
// have.
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

// DamagedError says that a page does not match its checksum. Its content was not used.
type DamagedError struct {
	File string // the database or its write-ahead log
	Page uint32 // from 1; 0 if the log is unusable because its index is lost
}

func (e *DamagedError) Error() string {
	if e.Page == 0 {
		return e.File + ": its index is damaged or lost, and the log is unusable"
	}
	return fmt.Sprintf("%s: page %d is damaged: checksum mismatch", e.File, e.Page)
}

// Damaged returns whether err says that the database file was corrupted or cannot be read.
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

// primary returns the primary result code. The driver stores the extended code instead where it
// has no primary one.
func primary(e sqlite3.Error) sqlite3.ErrNo { return e.Code & sqlite3.ErrNo(sqlite3.ErrNoMask) }

// Environmental returns whether err was caused by the node's environment (its disk, its memory)
// and not by the statement. Other replicas may not have the same error, so the node must not
// continue as if the statement had failed. The codes: https://sqlite.org/rescode.html
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
