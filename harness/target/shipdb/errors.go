//go:build cgo

package main

import (
	"errors"

	"github.com/mattn/go-sqlite3"
)

// ownFault tells whether an error comes from the node's disk or memory and not from the statement.
func ownFault(err error) bool {
	return is(err, sqlite3.ErrIoErr, sqlite3.ErrFull, sqlite3.ErrCorrupt, sqlite3.ErrNotADB, sqlite3.ErrNomem, sqlite3.ErrBusy,
		sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrReadonly)
}

// codeOf returns the code of an error of a statement, as the package's documentation lists them.
func codeOf(err error) string {
	switch {
	case is(err, sqlite3.ErrConstraint):
		return "constraint"
	case is(err, sqlite3.ErrReadonly):
		return "refused"
	}
	return "sql"
}

func is(err error, codes ...sqlite3.ErrNo) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, code := range codes {
		if e.Code == code {
			return true
		}
	}
	return false
}
