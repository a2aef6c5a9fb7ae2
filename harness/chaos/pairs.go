package chaos

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

type pairs struct {
	script
	values *atomic.Int64
}

// Pairs is two lists that grow in one transaction of two statements, always by the
// same value. Whoever reads both, also of one node's own state, finds them alike.
func Pairs(ns string) Workload { return pairs{newScript("pairs", ns), new(atomic.Int64)} }

const left, right = "pair/left", "pair/right"

func (w pairs) Next(chance *rand.Rand, _ int) Operation {
	switch chance.IntN(4) {
	case 0:
		return w.read().at(journal.Strong)
	case 1, 2:
		return w.read().at(journal.Local)
	}
	value := w.values.Add(1)
	return Operation{Op: journal.Op{Model: journal.List, Steps: []journal.Step{
		{Do: journal.Append, Key: left, Value: value}, {Do: journal.Append, Key: right, Value: value},
	}}, SQL: w.sql("append"), Args: []any{value, value}}
}

func (w pairs) read() Operation {
	return Operation{Op: journal.Op{Model: journal.List, Steps: []journal.Step{
		{Do: journal.Read, Key: left}, {Do: journal.Read, Key: right},
	}}, SQL: w.sql("read")}
}

func (w pairs) Final(ctx context.Context, c *harness.Cluster) error { return w.final(ctx, c, w.read()) }
