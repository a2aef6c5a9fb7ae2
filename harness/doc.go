// Package harness drives a cluster of replicated SQL nodes through the moment
// that decides about it: a node goes away, the data changes, the node comes
// back.
//
// A Cluster has one flag for each node, online or offline, which says what the
// harness wants of it. Three truths about a node are never mixed:
//
//	flag    what the harness wants          IsNodeOnline
//	fault   what was done to make it true   TakeNodeOffline, BringNodeOnline
//	health  what the node itself shows      Node.Status, WaitForNodeOnline
//
// Statements go to nodes whose flag is up: to one of them by chance
// (ExecuteOnRandom), to all of them (ExecuteOnAll), or to all of them to be
// compared (VerifyDataConsistency). A single node is asked through Node: as its
// clients reach it, or past every fault, Inside.
//
// The package knows no database (package target says what one must offer) and
// no test framework: it works in any Go test. Package matchers has the Gomega
// matchers.
//
// A Cluster is safe for concurrent use. Its locks guard flags, never I/O.
package harness
