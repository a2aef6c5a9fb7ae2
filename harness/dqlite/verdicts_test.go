package dqlite_test

import (
	"os"

	"github.com/rejoin-db/rejoin/harness/findings"
)

// The specs that dqlite does not pass. Set the environment variable DQLITE_EXPECTED to run them.
var _ = findings.Verdicts{
	Shown: [][2]string{
		{"exactly by every node text with a zero byte", "a text is cut at a zero byte"},
		{"Values are kept in columns of another declared type", "a read of a text in a BOOLEAN column aborts the leader"},
		{"A faulty link between the leader and its peers makes it reject client writes",
			"a former leader follows its successor, and does not apply what is committed until the next write"},
		{"A faulty link at the leader, cut in one direction, leads to a failover without a lost write to the leader",
			"a former leader follows its successor, and does not apply what is committed until the next write"},
		{"An adapter is honest about writes while a node is paused",
			"a follower that freezes within a transaction blocks the writes of all others until it is back"},
		{"answer follow the current schema, even on connections that knew another", "answers with the columns of an older schema"},
	},
	Expected: [][2]string{
		{"A read on a deposed leader is refused, and after healing sees the new leader's write leader",
			"a leader that does not know its successor may serve stale reads (consistency model)"},
		{"with a hanging disk that does not know its successor is not stale when strong",
			"a leader whose disk hangs still sends heartbeats, or answers nothing: no other node is elected until the disk is back"},
		{"on a deposed leader with a hanging disk is not stale a moment after a quorum has confirmed the leader",
			"a strong read follows a commit, which fails at once beside the one that hung: the database is locked (dqlite 164)"},
		{"lagging node waits for acknowledged writes and returns them leader",
			"the leader answers a read, whichever node was asked, and waits for none"},
		{"lagging node waits for acknowledged writes and returns them strong",
			"the leader answers a read, whichever node was asked, and waits for none"},
		{"large rows over a narrow link applies them one by one", "a leader sends all entries that a node lacks at once"},
		{"health is syncing during a long catch-up, with the number of missing entries",
			"dqlite does not tell its clients how far a node is behind"},
		{"A value in an answer keeps every bit, on every node and at every consistency",
			"a statement has at most 255 parameters: the driver refuses more"},
		{"An answer says which statement failed, and applies none of them",
			"the message of SQLite does not count the statements of a request"},
		{"An answer reports how many rows each statement changed",
			"the answer to a statement that reads has no number of rows (wire protocol)"},
		{"An answer names its columns, even without rows or with equal names", "an answer has no declared types of columns (wire protocol)"},
		{"in an answer is refused in a request above the size limit", "no limit of a request is documented"},
		{"independent of requests batched with it, live or during catch-up",
			"changes() is that of the connection, and connections are used again (SQLite)"},
	},
}.Declare(os.Getenv("DQLITE_EXPECTED") != "")
