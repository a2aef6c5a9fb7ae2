// Package machine is the replicated state machine of a node. It applies committed log entries to
// one SQLite database, which is the same on every node.
//
//	Entry    the content of a log entry: SQL, parameters, the time of its proposal
//	Apply    one batch of entries is one SQLite transaction, one entry a savepoint in it
//	Read     readers see the database between two batches, never within one
//	Persist  a snapshot is SQLite's online backup of such a view
//	Restore  the same backup in the other direction
//
// A failing statement changes nothing and fails in the same way on every node. A failure of the
// node's environment (its disk, its memory) is different: the machine stops permanently, reports
// the cause and applies nothing more, because its state could diverge from the other nodes.
//
// Namespaces are implemented here: table t of namespace n is stored under the single name "n.t".
// The table rejoin_objects lists the objects of namespaces. An object is added when it is created
// through its namespace, and removed when it is dropped or renamed. A table created under the
// quoted name "n.t" belongs to no namespace, and n.t does not refer to it.
//
// DROP NAMESPACE drops an empty namespace. With CASCADE it also drops the objects in it, and
// changes no row outside. A snapshot without rejoin_objects cannot be restored.
//
// EXPLAIN is for views only. The rows of a change are stored for repeated requests, and the rows
// of EXPLAIN contain values of one connection.
package machine
