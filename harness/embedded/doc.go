// Package embedded is the replicated SQL database that comes with Rejoin. A Node has an HTTP
// endpoint, a Raft log and a SQLite state machine.
//
//	client --HTTP--> Node --(leader, or forwarded to it)--> Raft log --> machine --> SQLite
//	client <--rows-- Node <------------------------------------------------------------+
//
// One port serves both HTTP and Raft (mux.go), so a node has a single address, and Raft's
// configuration contains the addresses of all nodes.
//
// A directory belongs to one node of one cluster and lists its starts (identity.go); the time from
// one start to the next is a life. Nodes authenticate each other and exchange this identity before
// Raft uses a connection (handshake.go), and each remembers the life in which it last met every
// other node. A directory that belongs to another cluster or node, or was emptied, copied or rolled
// back, is refused: its votes and acknowledgements do not count. A rollback is not detected if no
// running node has met a later life.
//
// A node uses only what its Config contains: sockets come from its Endpoint, files are below its
// Dir, time comes from package time, and after Stop or Close no goroutine, file handle or socket is
// left. So a test can run many nodes in one process, partition them, and run them in virtual time.
//
// # Keys
//
// A client may give a change an idempotency key (HeaderRequest, 1 to 128 printable ASCII
// characters). Requests with the same key and content, at any node, are applied once. All get the
// first answer, or ANSWER_GONE if it was too large to keep. A different change with the same key is
// refused with KEY_REUSED and changes nothing. A change that failed does not use up its key. Reads
// ignore keys. A key is remembered for a minute and for at least 10,000 log entries
// (machine.RememberedFor).
//
// # Access
//
// A request must name the node in its Host header (Config.Hosts), must not come from a web page of
// another origin, must have Content-Type application/json if it has a body, and must carry the
// Token if there is one. Health checks need none of these. Without a Token every client that
// reaches the port is trusted. Nodes mark forwarded requests with a proof that is derived from the
// Token. It prevents mistakes, but does not stop a client that knows the Token.
//
// # Raft
//
// raft.go starts Raft with the node's stores, transport and state machine, each in its decorators.
// Package raftfix works around faults of hashicorp/raft and raft-wal; Seams.Raft can disable each
// of these mends.
//
// Sources: Raft is github.com/hashicorp/raft; linearizable reads follow the
// read-index scheme of Ongaro's thesis, section 6.4.
package embedded
