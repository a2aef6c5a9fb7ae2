// Package journal records what happened to a cluster, in order: operations with their outcomes,
// flags, faults, changes of roles and members, waits, samples of resources, and the steps of a spec.
// A journal is bounded: of a long run it keeps the end, and counts what it lost. Package report
// explains failures by it, and package check judges it.
//
//	Journal            keeps events               Record, BeginEvent, Invoke, Step, Polled
//	Event              one of them                typed fields, one for each Kind
//	Op, Step           an operation of a client   and its outcome
//	Header             the first line of a file   version, seed, target, settings
//	Save, Load         the same as JSON lines     FORMAT.md
//
// Events say what happened in fields. Text is made from them, by Event.String, and never read.
//
// An operation whose meaning is to be judged is invoked with its steps, and ended
// with what it read:
//
//	op := j.Invoke(journal.Op{Client: 3, Model: journal.Register, Level: journal.Strong,
//		Steps: []journal.Step{{Do: journal.Read, Key: "x"}}})
//	result, err := cluster.ExecuteOnRandom(op.Context(ctx), "SELECT …")
//	op.End(outcome, []journal.Step{{Do: journal.Read, Key: "x", Got: []int64{7}}}, err)
package journal
