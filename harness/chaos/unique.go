package chaos

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

type unique struct {
	script
	tries *atomic.Int64
}

// Unique is names that many want and only one can have.
func Unique(ns string) Workload { return unique{newScript("unique", ns), new(atomic.Int64)} }

const (
	uniqueKey = "names"
	rivals    = 3 // for each name, about
)

func (w unique) Next(chance *rand.Rand, client int) Operation {
	if chance.IntN(10) == 0 {
		return w.read().at(journal.Strong)
	}
	name := w.tries.Add(1)/rivals + chance.Int64N(rivals)
	return once(journal.Unique, journal.Step{Do: journal.Insert, Key: uniqueKey, Value: name}, w.sql("insert"), name, client)
}

func (w unique) read() Operation {
	return once(journal.Unique, journal.Step{Do: journal.Read, Key: uniqueKey}, w.sql("read"))
}

func (w unique) Final(ctx context.Context, c *harness.Cluster) error {
	return w.final(ctx, c, w.read())
}
