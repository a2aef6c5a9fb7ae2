package sqldb

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Verdict is what an error of a driver says.
type Verdict struct {
	// Code is the database's own name for it.
	Code string
	// Kind is a kind of package target, or nil.
	Kind error
	// Outcome is what became of a commit that ended with the error. It is used for nothing else: what fails before the
	// commit was not applied.
	Outcome target.Outcome
	// Temporary tells that the same request may succeed later, or at another node.
	Temporary bool
}

var errSlow = errors.New("the node did not answer in time")

// verdictOf is what an error says that is not the database's: it could not be reached, or not in time.
func verdictOf(err error) Verdict {
	var netErr net.Error
	switch {
	case errors.Is(err, errClosed):
		return Verdict{Code: "CLOSED", Kind: target.ErrUnreachable}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Verdict{Code: "REFUSED", Kind: target.ErrUnreachable, Temporary: true}
	case errors.Is(err, errSlow), errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return Verdict{Code: "TIMEOUT", Kind: target.ErrTimeout, Temporary: true}
	case errors.Is(err, context.Canceled):
		return Verdict{Code: "CANCELED", Temporary: true}
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.As(err, &netErr), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Verdict{Code: "UNREACHABLE", Kind: target.ErrUnreachable, Temporary: true}
	}
	return Verdict{}
}

// SQLState is what a SQLSTATE of the standard says of an error; PostgreSQL's own classes are included. The outcome is
// NotApplied, except for classes 08 (connection), 57 (operator intervention), 58 and XX (system), and for 40003, which
// say nothing about a commit.
func SQLState(code string) Verdict {
	v := Verdict{Code: code, Outcome: target.NotApplied}
	if len(code) != 5 {
		return Verdict{Code: code}
	}
	switch class := code[:2]; {
	case code == "40003" || class == "58" || class == "XX" || class == "F0":
		v.Outcome = target.Unknown
	case class == "08":
		v.Kind, v.Outcome, v.Temporary = target.ErrUnreachable, target.Unknown, true
	case code == "57014":
		v.Kind, v.Outcome, v.Temporary = target.ErrTimeout, target.Unknown, true
	case class == "57":
		v.Kind, v.Outcome, v.Temporary = target.ErrStopping, target.Unknown, true
	case class == "40" || code == "55P03":
		v.Kind, v.Temporary = target.ErrConflict, true
	case class == "23":
		v.Kind = target.ErrConstraint
	case code == "25006":
		v.Kind, v.Temporary = target.ErrNoLeader, true
	case code == "3F000":
		v.Kind = target.ErrNoSuchNamespace
	case code == "42P01" || code == "42703" || code == "42S02" || code == "42S22":
		v.Kind = target.ErrNoSuchTable
	case code == "42P07" || code == "42P06" || code == "42701" || code == "42710" || code == "42S01":
		v.Kind = target.ErrExists
	case code == "42601" || code == "42000":
		v.Kind = target.ErrSyntax
	case code == "07001" || code == "42P02":
		v.Kind = target.ErrParams
	case class == "28":
		v.Kind = target.ErrUnauthorized
	case class == "54":
		v.Kind = target.ErrTooCostly
	case class == "53":
		v.Kind, v.Temporary = target.ErrTooCostly, true
	case class == "0A" || class == "2B" || code == "42501":
		v.Kind = target.ErrRefused
	}
	return v
}

// SQLite is what a result code of SQLite and its message say of an error: https://sqlite.org/rescode.html. An extended code is
// read by the primary one in it; 0 and SQLITE_ERROR are read by the message. The outcome is NotApplied, except for
// SQLITE_IOERR, which says nothing about a commit.
func SQLite(code int, message string) Verdict {
	v := Verdict{Code: fmt.Sprintf("SQLITE_%d", code), Outcome: target.NotApplied}
	const busy, locked, ioError, constraint = 5, 6, 10, 19
	switch code & 0xff {
	case busy, locked:
		v.Kind, v.Temporary = target.ErrConflict, true
	case constraint:
		v.Kind = target.ErrConstraint
	case ioError:
		v.Outcome = target.Unknown
	case 0, 1:
		for _, known := range sqliteKinds {
			if strings.Contains(message, known.part) {
				v.Kind = known.kind
				break
			}
		}
	}
	return v
}

// sqliteKinds are what parts of SQLite's messages say.
var sqliteKinds = []struct {
	part string
	kind error
}{
	{"constraint failed", target.ErrConstraint},
	{"no such table", target.ErrNoSuchTable},
	{"no such column", target.ErrNoSuchTable},
	{"no such view", target.ErrNoSuchTable},
	{"already exists", target.ErrExists},
	{"there is already", target.ErrExists},
	{"syntax error", target.ErrSyntax},
	{"incomplete input", target.ErrSyntax},
	{"unrecognized token", target.ErrSyntax},
}

// failure is an error that has that outcome, as the error of a request.
func (d *DB) failure(err error, outcome target.Outcome) *target.Error {
	return failure(d.options.Node, d.options.Judge, err, &outcome)
}

// read is an error as the error of a request, with the outcome of a commit that ends with it.
func (d *DB) read(err error) *target.Error { return failure(d.options.Node, d.options.Judge, err, nil) }

// failure is an error as the error of a request: with that outcome, or with the one that the judge gives it.
func failure(node string, judge func(error) Verdict, err error, outcome *target.Outcome) *target.Error {
	e := &target.Error{}
	if known := (*target.Error)(nil); errors.As(err, &known) {
		*e = *known
	} else {
		var v Verdict
		if ended := (*endedError)(nil); !errors.As(err, &ended) {
			v = judge(err)
		}
		if v == (Verdict{}) {
			v = verdictOf(err)
		}
		*e = target.Error{
			Code: cmp.Or(v.Code, "FAILED"), Message: err.Error(), Kind: v.Kind, Outcome: v.Outcome, Temporary: v.Temporary, Cause: err,
		}
	}
	e.Node = node
	if outcome != nil {
		e.Outcome = *outcome
	}
	return e
}

// lost tells whether the connection is gone.
func (d *DB) lost(err error) bool { return err != nil && d.read(err).Kind == target.ErrUnreachable }
