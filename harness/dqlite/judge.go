package dqlite

import (
	"errors"

	dqlite "github.com/canonical/go-dqlite/driver"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// judge reads errors. Of a connection that broke nothing is known. An error of the database itself was answered by the leader,
// which has undone the transaction.
func judge(err error) sqldb.Verdict {
	var unreached *unreachedError
	var lost *lostError
	var e dqlite.Error
	switch {
	case errors.Is(err, dqlite.ErrNoAvailableLeader):
		return sqldb.Verdict{Code: "NO_LEADER", Kind: target.ErrNoLeader, Outcome: target.NotApplied, Temporary: true}
	case errors.As(err, &unreached):
		return sqldb.Verdict{Code: "UNREACHABLE", Kind: target.ErrUnreachable, Outcome: target.NotApplied, Temporary: true}
	case errors.As(err, &lost) && lost.refused: // the connection is one to a former leader
		return sqldb.Verdict{Code: "NOT_LEADER", Kind: target.ErrUnreachable, Temporary: true}
	case errors.As(err, &lost):
		return sqldb.Verdict{Code: "LEADERSHIP_LOST", Kind: target.ErrNoQuorum, Temporary: true}
	case errors.As(err, &e) && e.Code == raftNotLeader && e.Message == "no more rows available": // a leader that hands over
		return sqldb.Verdict{Code: "NOT_LEADER", Kind: target.ErrNoLeader, Outcome: target.NotApplied, Temporary: true}
	case errors.As(err, &e):
		return sqldb.SQLite(e.Code, e.Message)
	}
	return sqldb.Verdict{}
}

// raftNotLeader is libraft's code, which dqlite passes on as one of SQLite's, where it is a lack of memory.
const raftNotLeader = 7

// busy tells whether another transaction is in the way. dqlite has no busy timeout.
func busy(err error) bool { return errors.Is(judge(err).Kind, target.ErrConflict) }
