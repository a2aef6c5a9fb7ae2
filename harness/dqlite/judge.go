package dqlite

import (
	"errors"
	"fmt"
	"strings"

	dqlite "github.com/canonical/go-dqlite/driver"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// SQLite's result codes.
const (
	codeBusy       = 5
	codeIO         = 10
	codeConstraint = 19
)

// busy tells whether another transaction is in the way.
func busy(err error) bool {
	var e dqlite.Error
	return errors.As(err, &e) && e.Code&0xff == codeBusy
}

// judge reads errors. Of a connection that broke nothing is known. An error of the database itself was answered by the leader,
// which has undone the transaction.
func judge(err error) sqldb.Verdict {
	var lost *lostError
	var unreached *unreachedError
	var e dqlite.Error
	switch {
	case errors.Is(err, dqlite.ErrNoAvailableLeader):
		return sqldb.Verdict{Code: "NO_LEADER", Kind: target.ErrNoLeader, Outcome: target.NotApplied, Temporary: true}
	case errors.As(err, &unreached):
		return sqldb.Verdict{Code: "UNREACHABLE", Kind: target.ErrUnreachable, Outcome: target.NotApplied, Temporary: true}
	case errors.As(err, &lost):
		return sqldb.Verdict{Code: "LEADERSHIP_LOST", Kind: target.ErrNoQuorum, Temporary: true}
	case !errors.As(err, &e):
		return sqldb.Verdict{}
	}
	v := sqldb.Verdict{Code: fmt.Sprint("SQLITE_", e.Code), Outcome: target.NotApplied}
	switch e.Code & 0xff {
	case codeBusy:
		v.Kind, v.Temporary = target.ErrConflict, true
	case codeConstraint:
		v.Kind = target.ErrConstraint
	case codeIO:
		v.Outcome = target.Unknown
	default:
		for text, kind := range map[string]error{
			"no such table": target.ErrNoSuchTable, "no such column": target.ErrNoSuchTable, "no such view": target.ErrNoSuchTable,
			"already exists": target.ErrExists, "syntax error": target.ErrSyntax, "incomplete input": target.ErrSyntax,
			"unrecognized token": target.ErrSyntax,
		} {
			if strings.Contains(e.Message, text) {
				v.Kind = kind
			}
		}
	}
	return v
}
