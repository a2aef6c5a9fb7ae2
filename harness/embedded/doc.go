// Package embedded is the database that comes with Rejoin: one Node is a
// complete replicated SQL database, with an HTTP endpoint, a Raft log and a
// SQLite state machine.
//
//	client --HTTP--> Node --(leader, or forwarded to it)--> Raft log --> machine --> SQLite
//	client <--rows-- Node <------------------------------------------------------------+
//
// One port serves both HTTP and Raft (see mux.go), so a node is one address and
// Raft's own configuration is the cluster's address book.
//
// A directory belongs to one node of one cluster, and lists the starts it went through
// (identity.go). Nodes tell each other so, provably, before Raft says a word (greeting.go),
// and each remembers in which life it last met every other. A directory of another cluster
// or node, one that was emptied, copied or taken back to an older state, is refused, and its
// votes and acknowledgements do not count. What no running node has met it cannot miss: a
// state that is older than all meetings with the nodes that are up passes for the latest.
//
// Nothing a node does escapes its Config: sockets come from its Endpoint, files
// stay below its Dir, time is the standard library's, and after Stop no
// goroutine, file handle or socket is left. That is what lets a test run many
// of them in one process, cut them apart, and run them in virtual time.
//
// Sources: Raft is github.com/hashicorp/raft; linearizable reads follow the
// read-index scheme of Ongaro's thesis, section 6.4.
package embedded
