// Package raftfix works around faults of hashicorp/raft 1.8.0 and of raft-wal 0.4.1, from
// outside: by decorators of the interfaces that Raft is given, one file a fault. README.md says
// of each how it was found, what it does without the mend, and how to see it.
//
// A node builds its Raft from them, from the network up:
//
//	GrowingDeadlines    dials: a call has as long as its bytes need
//	Inbound             receives RPCs, and mends five of them before Raft's main loop
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
