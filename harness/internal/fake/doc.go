// Package fake is a target without a database, for the specs of the harness itself. By default its nodes are consistent:
// a statement without a prepared answer is a change, which every node that runs and is not isolated applies immediately.
// A spec can change that:
//
//	Node.Answers     sets the answer of a node to a statement
//	Node.OnQuery     runs before a statement: to wait, fail or count
//	Node.OnStatus    changes the status of a node
//	Cluster.OnCall   runs before calls to the cluster: to wait or fail
//	Cluster.OnIsolate, OnRejoin, OnClose
//
// It records all requests, so that a spec can check that each is sent once.
package fake
