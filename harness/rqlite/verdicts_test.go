package rqlite_test

import (
	"os"

	"github.com/rejoin-db/rejoin/harness/findings"
)

// The specs that rqlite does not pass. Set the environment variable RQLITE_EXPECTED to run them.
var _ = findings.Verdicts{
	Shown: [][2]string{
		{"Values are kept in columns of another declared type", dates},
		{"exactly by every node a blob of all bytes", untyped},
		{"exactly by every node an empty blob", untyped},
		{"A value in an answer is complete beyond a mebibyte",
			"a write at a follower that returns a blob without a declared type is applied twice"},
		{"independent of requests batched with it, live or during catch-up", "replicas differ after unixepoch('subsec')"},
		{"Comparing nodes finds every kind of difference, on any node", untyped},
	},
	Expected: [][2]string{
		{"An answer says which statement failed, and applies none of them",
			"the message of SQLite does not count the statements of a request (Developer Guide, Handling Errors)"},
		{"An answer names its columns, even without rows or with equal names", lower},
		{"The columns of an answer follow the current schema, even on connections that knew another", lower},
		{"An answer reports how many rows each statement changed", "an answer of rows has no number of rows (Developer Guide)"},
		{"health is syncing during a long catch-up, with the number of missing entries",
			"a node knows only of entries that it has, whatever its leader has committed (hashicorp/raft)"},
		{"in an answer is refused in a request above the size limit", "no limit of a request is documented"},
	},
}.Declare(os.Getenv("RQLITE_EXPECTED") != "")

const (
	dates   = "a value in a BOOLEAN, DATE or TIMESTAMP column is answered as another one"
	untyped = "a blob without a declared type is answered as a text"
	lower   = "the types of columns are in lower case (Developer Guide, Querying Data)"
)
