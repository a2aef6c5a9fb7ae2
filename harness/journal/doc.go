// Package journal keeps what happened to a cluster, in order: operations with
// their outcomes, flags, faults, waits, what nodes showed of themselves and took.
// It is bounded: of a long run it keeps the end, and says how much it lost.
// Reports explain failures by it, and package check judges it.
//
//	Journal            keeps events               Record, Begin, Invoke
//	Event              one of them                Kind, Node, At, Took, Text, Err
//	Op, Step           what a client did          and what became of it
//	State              what a node showed         role, term, applied index, digest
//	Encode, Decode     the same as JSON lines
//
// An operation whose meaning is to be judged is invoked with its steps, and ended
// with what it read:
//
//	op := j.Invoke(journal.Op{Client: 3, Model: journal.Register, Level: journal.Strong,
//		Steps: []journal.Step{{Do: journal.Read, Key: "x"}}})
//	result, err := cluster.ExecuteOnRandom(op.Context(ctx), "SELECT …")
//	op.End(outcome, []journal.Step{{Do: journal.Read, Key: "x", Got: []int64{7}}}, err)
package journal
