// Package fake is a target without a database, for the specs of the harness
// itself. Its nodes agree by themselves: a statement that nobody told them the
// answer of is a change, and is applied at once by every node that runs and is
// not isolated. Then a spec tells them what to do instead:
//
//	Node.Answers     what a node answers to a statement
//	Node.OnQuery     what it does first: wait, fail, count
//	Node.OnStatus    what it shows of itself
//	Cluster.OnCall   what becomes of what is done to it: wait, fail
//	Cluster.OnIsolate, OnRejoin, OnClose
//
// It keeps what it was asked, so that a spec can see that nobody asked twice.
package fake
