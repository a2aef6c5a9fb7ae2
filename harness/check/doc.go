// Package check judges a history: the events of a journal. It knows no database, no
// test framework and no cluster. Any journal will do, also one that another test wrote.
//
//	Linearizable          registers have one order of operations that fits real time
//	Durable               sets, lists and names hold what was acknowledged, and nothing that failed
//	ReadCommitted, SnapshotIsolation, RepeatableRead, Serializable, StrictlySerializable
//	                      transactions over lists and registers show no anomaly that the level excludes
//	Total                 one order of transfers explains all balances, and none is negative
//	Counted               one order of increments explains all numbers
//	OnlyOnce              a value is taken at most once
//	Monotonic, OwnWrites, MonotonicWrites, WritesFollowReads
//	                      the session guarantees
//	Available             changes were refused for no longer than a budget
//	Converged             all nodes came to hold the same bytes
//	OneLeader             no two nodes led in one term
//
// A function judges one promise and returns an error: nil if it was kept, or one that
// holds a *Violation with its witnesses, or wraps ErrNothing, ErrInvalid or ErrUndecided.
// A history in which nothing can be judged proves nothing. A Rule is the same as a value;
// its Verdict also says how much was judged and what was left out, and has every
// violation that was found, the smallest first. All judges by every rule of Rules.
//
// The judges are exact within their bounds: the specs of this package compare each with
// an exhaustive search of small random histories. Bounds count work and memory, not time,
// so that a verdict is the same on every machine and in virtual time.
//
// # What is assumed
//
// An operation that failed never happens. One of unknown outcome may happen once, at any
// time after it began; if an effect of it was seen, all of it happened. Operations that
// share an instant overlap. A final read follows everything that is not final. Strong and
// final reads count in real time; reads of other levels may be old.
package check
