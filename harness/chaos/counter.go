package chaos

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

type counter struct{ script }

// Counter is one number that only grows.
func Counter(ns string) Workload { return counter{newScript("counter", ns)} }

const counterKey = "counter"

func (w counter) Next(chance *rand.Rand, _ int) Operation {
	if chance.IntN(4) == 0 {
		return w.read().at(journal.Strong)
	}
	// Mostly by one, so that requests look alike.
	by := int64(1)
	if chance.IntN(4) == 0 {
		by = 1 + chance.Int64N(5)
	}
	return once(journal.Counter, journal.Step{Do: journal.Increment, Key: counterKey, Value: by}, w.sql("increment"), by)
}

func (w counter) read() Operation {
	return once(journal.Counter, journal.Step{Do: journal.Read, Key: counterKey}, w.sql("read"))
}

func (w counter) Final(ctx context.Context, c *harness.Cluster) error {
	return w.final(ctx, c, w.read())
}
