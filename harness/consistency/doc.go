// Package consistency compares what nodes answer to one query, value by value.
//
// All answers stream side by side. With an order they are compared in step. Without one
// each becomes sums of hashes, in constant memory; if the sums differ, the nodes are
// asked a second time and only the rows of the parts that differ are held, to name one.
//
// The package knows no cluster: a Node is a query that can be asked. When a difference
// counts, and how long to wait for nodes to catch up before, is for the caller.
package consistency
