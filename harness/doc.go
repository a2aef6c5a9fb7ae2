// Package harness drives a cluster of replicated SQL nodes through the moment
// that decides about it: a node goes away, the data changes, the node comes
// back.
//
// A Cluster has one flag for each node, online or offline, which says what the
// harness wants of it. Three truths about a node are never mixed:
//
//	flag    what the harness wants          IsNodeOnline
//	fault   what was done to make it true   TakeNodeOffline, BringNodeOnline, Lost
//	health  what the node itself shows      Node.Status, WaitForNodeOnline
//
// A node is lost in one of four ways: Isolate, Stop, Crash or Pause. Beside that,
// links can be cut, slow or lossy (SetLink, Partition, Flapping and so on), disks
// bad (SetDisk, Damage) and clocks wrong (SetClock), whatever the flags say; Faults
// are those in force, and Heal undoes all. What a target cannot do is an
// *UnsupportedError.
//
// Nodes come and go for good with AddNode, RemoveNode and ReplaceNode. A node keeps
// its index; Size and Quorum count who is a member.
//
// Statements go to nodes whose flag is up: to one of them by chance
// (ExecuteOnRandom), to all of them (ExecuteOnAll), or to all of them to be
// compared (VerifyDataConsistency). Comparing waits until all online nodes have
// applied what is committed, and a local statement until its node knows the latest
// schema; AsIs waits for nothing. A single node is asked through Node: as its
// clients reach it, or past every fault, Inside.
//
// The package knows no database (package target says what one must offer) and
// no test framework: it works in any Go test. Package matchers has the Gomega
// matchers.
//
// A Cluster is safe for concurrent use. Its locks guard flags, never I/O.
package harness
