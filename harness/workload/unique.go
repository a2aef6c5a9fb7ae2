package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Unique inserts values of a small, moving range into a column with a UNIQUE constraint. The second insert of a
// value is refused. The key is unique/0.
func Unique(ns string) Workload { return &unique{sql: readStatements("unique", ns)} }

// inRange is how many values clients choose from at a time.
const inRange = 8

type unique struct {
	sql   statements
	tried atomic.Int64
}

var uniqueKey = named("unique")

func (w *unique) Name() string { return "unique" }

func (w *unique) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

// Next moves the range by one value for each insert, so that most inserts, but not all, find a free value.
func (w *unique) Next(r *rand.Rand, client int) Operation {
	value := w.tried.Add(1) + r.Int64N(inRange)
	return Operation{
		Op: journal.Op{Model: journal.Unique, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Insert, Key: uniqueKey(0), Value: value},
		}},
		SQL: w.sql.get("insert"), Args: []any{value, client},
		Refused: breaks,
	}
}

func (w *unique) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Unique}, SQL: w.sql.get("all"), Read: readAll(uniqueKey, 1),
	})
}

// breaks tells whether a request was refused because it would break a constraint.
func breaks(err error) bool {
	return errors.Is(err, target.ErrConstraint) && target.OutcomeOf(err) == target.NotApplied
}
