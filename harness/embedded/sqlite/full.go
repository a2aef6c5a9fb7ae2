package sqlite

import (
	"errors"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// Full tells whether err came from a disk, or a quota of it, that has no room left, in
// SQLite or in a file of the node's own.
func Full(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	e, is := errors.AsType[sqlite3.Error](err)
	return is && (primary(e) == sqlite3.ErrFull || e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT)
}
