// Package raftfix works around bugs in hashicorp/raft 1.8.0 and raft-wal 0.4.1 from outside, with
// decorators of Raft's interfaces, one file per bug. README.md describes how each was found, its
// effects without the workaround, and how to reproduce it.
//
// A node builds its Raft from them, from the network up:
//
//	GrowingDeadlines    dials: a timeout that grows with the bytes of a call
//	Inbound             receives RPCs, with workarounds for five bugs before Raft's main loop
//	Stall.Transport     sends nothing while the disk hangs
//	LoadAppends         loads the data of entries, and bounds it
//	Blocking            waits for a node that cannot be reached
//
// and from the disk up:
//
//	LazyLog             entries without their data
//	Stall.Log           measures the disk
//	LogBound            counts bytes
//	LogWithoutErrors    no panic if an entry cannot be read
//
// Each workaround can be switched off (Mends), which the planted bugs of kind "upstream" do: the suite
// must notice the bug. The package does not depend on the node and imports only hashicorp's packages.
package raftfix
