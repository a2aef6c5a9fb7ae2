// Package raftfix works around faults of hashicorp/raft 1.8.0 and of raft-wal 0.4.1, from
// outside: with decorators of Raft's interfaces, one file per fault. README.md describes how each was
// found, its effects without the mend, and how to reproduce it.
//
// A node builds its Raft from them, from the network up:
//
//	GrowingDeadlines    dials: a timeout that grows with the bytes of a call
//	Inbound             receives RPCs, and mends five faults before Raft's main loop
//	Stall.Transport     sends nothing while the disk hangs
//	LoadAppends         loads the data of entries, and bounds it
//	Blocking            waits for a node that cannot be reached
//
// and from the disk up:
//
//	LazyLog             entries without their data
//	Stall.Log           measures the disk
//	LogBound            counts bytes
//	LogWithoutErrors    an entry that cannot be read is no panic
//
// Each mend can be left out (Mends), which the planted bugs of kind "upstream" do: the suite must
// notice the fault. The package knows nothing of the node and imports only hashicorp's packages.
package raftfix
