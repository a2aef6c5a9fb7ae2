// Package check judges a history: the events of a journal. It depends on no database, no test
// framework and no cluster, and judges journals of any origin. It reads the fields of events and
// never their text.
//
//	Linearizable          registers: one order of operations fits real time
//	Durable               sets, lists and names: acknowledged values are there, failed ones are not
//	ReadCommitted, SnapshotIsolation, RepeatableRead, Serializable, StrictlySerializable
//	                      transactions on lists and registers show no anomaly that the level forbids
//	Total                 one order of transfers explains all balances, and none is negative
//	Counted               one order of increments explains all reads of a counter
//	OnlyOnce              at most one client gets a value
//	Monotonic, OwnWrites, MonotonicWrites, WritesFollowReads
//	                      the session guarantees
//	Available             changes are refused for no longer than a budget
//	Converged             all nodes hold the same bytes in the end
//	OneLeader             no two nodes lead in one term
//
// Each function judges one promise. It returns nil if the promise is kept, an error that holds a
// *Violation with its witnesses, or an error that wraps ErrNothing, ErrInvalid or ErrUndecided. A
// history without anything to judge proves nothing, and is an error. A Rule is the same as a value:
// its Verdict also counts what was judged and left out, and lists all violations, the smallest
// first. All applies every rule of Rules.
//
// Verdicts are exact within bounds: the specs of this package compare each rule with an exhaustive
// search of small random histories. The bounds limit work and memory and not time, so a verdict is
// the same on every machine and in virtual time.
//
// # Assumptions
//
// A failed operation never takes effect. An operation of unknown outcome takes effect at most once,
// at any time after it began; if one of its effects was seen, all of it took effect. Operations that
// share an instant are concurrent. Final reads come after all other operations. Strong and final
// reads must fit real time; reads of other levels may be stale.
package check
