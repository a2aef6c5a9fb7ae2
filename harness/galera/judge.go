package galera

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// judge reads errors. Of a connection that broke nothing is known.
func judge(err error) sqldb.Verdict {
	var said *mysql.MySQLError
	switch {
	case errors.Is(err, mysql.ErrInvalidConn):
		return sqldb.Verdict{Code: "BROKEN", Kind: target.ErrUnreachable, Temporary: true}
	case !errors.As(err, &said):
		return sqldb.Verdict{}
	}
	v, known := numbers[said.Number]
	if !known {
		v = sqldb.SQLState(string(said.SQLState[:]))
	}
	v.Code = fmt.Sprint(said.Number)
	return v
}

// judgeSchema reads errors of changes of the schema, which commit by themselves, in Galera's total order. What they meet there, such
// as the loss of the quorum, is called a deadlock or a lock that took too long. See the finding in README.md.
func judgeSchema(err error) sqldb.Verdict {
	v := judge(err)
	if v.Kind == target.ErrConflict {
		v.Outcome = target.Unknown
	}
	return v
}

const lockTimeout = "1205"

// numbers are the errors whose SQLSTATE says too little, by their number: https://mariadb.com/kb/en/mariadb-error-code-reference.
var numbers = map[uint16]sqldb.Verdict{
	1007: {Kind: target.ErrExists, Outcome: target.NotApplied},          // the database exists
	1008: {Kind: target.ErrNoSuchNamespace, Outcome: target.NotApplied}, // there is no such database to drop
	1049: {Kind: target.ErrNoSuchNamespace, Outcome: target.NotApplied},
	1061: {Kind: target.ErrExists, Outcome: target.NotApplied},      // the name of an index
	1091: {Kind: target.ErrNoSuchTable, Outcome: target.NotApplied}, // a column or index to drop
	1153: {Kind: target.ErrTooLarge, Outcome: target.NotApplied},    // max_allowed_packet

	1020: {Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}, // a row has changed since the snapshot
	1047: {Kind: target.ErrNoLeader, Outcome: target.NotApplied, Temporary: true}, // the node is in no primary component
	1205: {Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}, // a lock, or what a read waits for, took too long
	1213: {Kind: target.ErrConflict, Outcome: target.NotApplied, Temporary: true}, // another transaction was first, maybe at another node

	1053: {Kind: target.ErrStopping, Temporary: true},    // the node stops
	1180: {Kind: target.ErrNoQuorum, Temporary: true},    // the commit failed while the component was lost
	1317: {Kind: target.ErrUnreachable, Temporary: true}, // the statement was interrupted
	1927: {Kind: target.ErrUnreachable, Temporary: true}, // the connection was killed
}
