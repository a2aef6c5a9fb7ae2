package workload

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Counter increments two counters, and reads them. The keys are counter/0 and counter/1.
func Counter(ns string) Workload { return &counter{sql: readStatements("counter", ns)} }

// counters is how many there are, from the beginning.
const counters = 2

type counter struct{ sql statements }

var counterKey = named("counter")

func (w *counter) Name() string { return "counter" }

func (w *counter) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

func (w *counter) Next(r *rand.Rand, _ int) Operation {
	name := r.Int64N(counters)
	if r.IntN(3) == 0 {
		steps := []journal.Step{read(counterKey(name))}
		return Operation{
			Op:  journal.Op{Model: journal.Counter, Level: journal.Strong, Steps: steps},
			SQL: w.sql.get("read"), Args: []any{name}, Read: readInto(steps),
		}
	}
	by := 1 + r.Int64N(5)
	return Operation{
		Op: journal.Op{Model: journal.Counter, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Increment, Key: counterKey(name), Value: by},
		}},
		SQL: w.sql.get("increment"), Args: []any{by, name},
	}
}

func (w *counter) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Counter}, SQL: w.sql.get("all"), Read: readAll(counterKey, counters),
	})
}
