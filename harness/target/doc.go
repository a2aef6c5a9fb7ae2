// Package target defines what a database must implement to be tested. It contains no code of any
// database.
//
//	Target       creates clusters                     Boot
//	Cluster      one of them, and its faults          Nodes, Isolate, Rejoin, Close
//	Node         one replica, seen from two places    Client, Inside, Status
//	Ability      an optional interface of a Cluster   Starter, LinkFaulter, … (see Can)
//	Assumption   what a database promises beyond      Declarer (see Holds)
//	Error        a failed request                     Kind (see Kinds), Outcome
//
// A node is reached from two places. Its Client is what applications use: connections over links
// that a fault may cut. Inside is on the node itself, where no link fault applies. It shows what
// an isolated node holds.
//
// Each replica must answer for its own state: Inside with consistency Local must not be answered
// by another node. A database that forwards every read to its leader cannot be compared replica
// by replica: the comparison would compare the leader with itself.
package target
