// Package check judges a history: the events of a journal. It knows no database, no
// test framework, and no cluster; any journal will do, also one that another test
// wrote.
//
//	Linearizable   registers: there is one order of all that was done, and it fits time
//	Durable        what was acknowledged is there in the end, on every node, and what failed is not
//	ReadCommitted  no aborted, intermediate or cyclic read of transactions over lists or registers
//	SnapshotIsolation, RepeatableRead, Serializable, StrictlySerializable
//	               the same, and ever fewer anomalies: see ReadCommitted for their names
//	Total          transfers keep the total, and no balance is negative
//	Counted        a counter is the sum of what was added
//	OnlyOnce       what only one can have only one has
//	Monotonic      nobody sees a state older than one that he has seen
//	OwnWrites      everybody sees what he has done
//	Available      changes were not refused for longer than a budget
//	Converged      all nodes came to hold the same bytes
//	OneLeader      no two nodes led in one term
//
// Each returns nil, a *Violation with its witnesses, or ErrNothing: a history in
// which nothing happened that could be judged proves nothing.
package check
