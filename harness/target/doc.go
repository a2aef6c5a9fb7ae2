// Package target says what a database must offer to be tested. It holds no code
// of any database.
//
//	Target    makes clusters                      Boot
//	Cluster   one of them, and its faults         Nodes, Isolate, Rejoin, Close
//	Node      one replica, seen from two places   Client, Inside, Status
//
// A node is reached from two places. Its Client is what applications have: a
// connection over links that a fault may cut. Inside is beside the node, past
// every fault, and serves to look: what does an isolated node really hold?
//
// Each replica must answer for its own state: Inside with consistency Local must
// not be answered by another node. A database that forwards every read to its
// leader cannot be compared replica by replica; comparing its nodes would
// compare the leader with itself.
package target
