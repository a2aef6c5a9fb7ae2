// Package machine is the state machine of a node: committed log entries go
// in, one SQLite database comes out, the same on every node.
//
//	Entry    what a log entry says: SQL, parameters, the time of its proposal
//	Apply    one batch of entries is one SQLite transaction, one entry a savepoint in it
//	Read     readers see the database as it was after some batch, never within one
//	Persist  a snapshot is SQLite's online backup of such a view
//	Restore  the same backup in the other direction
//
// A statement that fails changes nothing and fails the same way on every node.
// A node whose own surroundings fail (its disk, its memory) is another matter:
// the machine stops for good, says why, and applies nothing more, since what
// it would apply could differ from what the others have.
//
// Namespaces are made here: the table t of namespace n is stored under the
// one name "n.t". What is in a namespace is noted in the table rejoin_objects when it
// is created through the namespace, and forgotten when it is dropped or gets another
// name. A table that is created under the quoted name "n.t" is in no namespace, and
// n.t does not reach it.
//
// DROP NAMESPACE drops an empty namespace; with CASCADE it drops what is in it, too,
// and changes no row outside. A state from before rejoin_objects cannot be restored.
//
// EXPLAIN is for views only. The rows of a change are kept for the request that is
// sent again, and those of EXPLAIN hold numbers of one connection.
package machine
