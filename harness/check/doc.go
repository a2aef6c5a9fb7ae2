// Package check judges a history: the events of a journal. It knows no database, no
// test framework, and no cluster; any journal will do, also one that another test
// wrote.
//
//	Linearizable   registers: there is one order of all that was done, and it fits time
//	Durable        what was acknowledged is there in the end, on every node, and what failed is not;
//	               sets are linearizable
//	Serializable   transactions over lists have an order: no cycle of dependencies
//	Total          one order of transfers explains every balance, and no balance is negative
//	Counted        a counter is the sum of what was added
//	OnlyOnce       what only one can have only one has
//	Monotonic          no client sees a state older than one it has seen
//	OwnWrites          every client sees what it has done
//	MonotonicWrites    a read that shows a write shows what its client had written before
//	WritesFollowReads  a read that shows a write shows what its client had seen before
//	Sessions           the last four, for reads of levels that are chosen
//	Available      changes were not refused for longer than a budget
//	Converged      all nodes came to hold the same bytes
//	OneLeader      no two nodes led in one term
//
// Objects (registers, sets, banks, counters, unique values) are judged by one search for an
// order that fits time (type search). It is exact, and spends a counted budget; beyond that
// the verdict is ErrUndecided. Small histories are always decided. So are thousands of
// operations of some ten clients, and registers on which no value is written twice for any
// number of clients.
//
// Each returns nil, a *Violation with its witnesses, or ErrNothing: a history in
// which nothing happened that could be judged proves nothing.
package check
