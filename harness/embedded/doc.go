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
// (identity.go). Nodes tell each other so, provably, before Raft uses the connection (handshake.go),
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
// # Keys
//
// A client may name a change by a key (HeaderRequest, 1 to 128 printable ASCII
// characters). However often the change is sent under its key, to whichever node, it is
// applied once. The others have its answer, or ANSWER_GONE if that was too large to keep.
// Another change under the key is KEY_REUSED, on every node, and changes nothing. A change
// that failed leaves its key free. Reads take no notice of a key. A key is remembered for
// a minute, and for at least 10,000 entries of the log, at any speed (machine.RememberedFor).
//
// # Strangers
//
// A request must name the node in header Host (Config.Hosts), must not come from a web
// page of another origin, must say that its body is application/json, and must carry the
// Token if there is one. Health checks need none of these. Without a Token every client that
// reaches the port is trusted. Nodes tell each other apart from clients by a proof made of
// the Token; it keeps out mistakes, not a client that knows the Token.
//
// # Raft
//
// raft.go starts Raft on the node's stores, transport and state machine, each wrapped by what the
// node needs of it. Package raftfix works around faults of hashicorp/raft and raft-wal; Seams.Raft
// can leave each mend out.
//
// Sources: Raft is github.com/hashicorp/raft; linearizable reads follow the
// read-index scheme of Ongaro's thesis, section 6.4.
package embedded
