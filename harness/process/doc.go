// Package process is the target of embedded nodes in processes of their own: real signals, real files, real sockets on
// loopback.
//
//	Stop    SIGTERM, and the node leaves     Pause   SIGSTOP
//	Crash   SIGKILL                          Resume  SIGCONT
//
// Each node runs the command harness/cmd/node. It has a directory for its files, a port that it keeps across restarts, a
// log, and a control socket for changes of its links, its disk and its clock (see package child). Changes for a node that
// is down or paused are queued. They take effect at the start of its next life, or before Resume returns.
//
// The rule of a link between two nodes is applied by both processes, each to the connections that it dials. This process
// applies the rules of the clients' links.
//
// No node outlives its cluster. Close kills all nodes and waits for them. If this process dies, Linux kills its children,
// including paused ones; on other systems they notice the end of stdin and leave. They are in their own process groups,
// so that Ctrl-C reaches only this process.
package process
