// Package process is the target of embedded nodes that are processes of their
// own: real signals, real files, real sockets on loopback.
//
//	Stop    SIGTERM, and the node leaves     Pause   SIGSTOP
//	Crash   SIGKILL                          Resume  SIGCONT
//
// Each node runs the command harness/cmd/node. It has a directory for its files,
// a port that it keeps over all its lives, a log, and a control socket over which
// it is told what is wrong with its links, its disk and its clock (see package
// child). What a node cannot be told, because it does not run or is frozen, is
// kept, and is in force from the first moment of its next life, or when Resume
// returns.
//
// A link between two nodes is ruled by both processes, each for the connections
// it has dialed; links of clients are ruled here.
//
// No node outlives its cluster. Close kills and awaits every one. If this
// process dies instead, the kernel kills its children where it can (Linux), frozen
// ones too, and elsewhere they see their stdin end and leave. They are in process
// groups of their own, so that Ctrl-C reaches this process alone.
package process
