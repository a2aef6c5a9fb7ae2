package workload

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// TwinLists appends each value to two lists in one transaction, and reads both lists, also from the local
// state of a node. Half a transaction shows as two lists that differ. The keys are pair/0/left,
// pair/0/right, and so on. In schedules it is called "pairs".
func TwinLists(ns string) Workload {
	return &twinLists{sql: readStatements("pairs", ns), names: newRolling(2, longestList)}
}

type twinLists struct {
	sql   statements
	names *rolling
}

var pairKey = named("pair")

func leftKey(name int64) string  { return pairKey(name) + "/left" }
func rightKey(name int64) string { return pairKey(name) + "/right" }

func (w *twinLists) Name() string { return "pairs" }

func (w *twinLists) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

func (w *twinLists) Next(r *rand.Rand, _ int) Operation {
	switch chance := r.IntN(10); {
	case chance < 5:
		return w.append(w.names.next(r))
	case chance < 8:
		return w.read(journal.Strong, w.names.some(r))
	default:
		return w.read(journal.Local, w.names.some(r))
	}
}

func (w *twinLists) append(name, value int64) Operation {
	return Operation{
		Op: journal.Op{Model: journal.List, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Append, Key: leftKey(name), Value: value},
			{Do: journal.Append, Key: rightKey(name), Value: value},
		}},
		SQL: w.sql.get("append"), Args: []any{name, value, name, value},
	}
}

func (w *twinLists) read(level journal.Level, name int64) Operation {
	steps := []journal.Step{read(leftKey(name)), read(rightKey(name))}
	return Operation{
		Op:  journal.Op{Model: journal.List, Level: level, Steps: steps},
		SQL: w.sql.get("read"), Args: []any{name, name}, Read: readInto(steps),
	}
}

func (w *twinLists) Final(ctx context.Context, c *harness.Cluster) error {
	names := w.names.count()
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.List}, SQL: w.sql.get("all"),
		Read: func(r harness.Result) ([]journal.Step, error) {
			lefts, err := columns(r, 0)
			if err != nil {
				return nil, err
			}
			rights, err := columns(r, 1)
			if err != nil {
				return nil, err
			}
			return append(stepsOf(lefts, leftKey, names), stepsOf(rights, rightKey, names)...), nil
		},
	})
}
