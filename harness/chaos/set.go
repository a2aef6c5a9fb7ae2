package chaos

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

type set struct {
	script
	*elements
}

// Set is a set to which values are added, each once, and of which some are removed
// that are known to be in it.
func Set(ns string) Workload { return set{newScript("set", ns), &elements{}} }

const setKey = "set"

func (w set) Next(chance *rand.Rand, _ int) Operation {
	switch chance.IntN(8) {
	case 0:
		return once(journal.Set, journal.Step{Do: journal.Read, Key: setKey}, w.sql("read")).at(journal.Strong)
	case 1:
		if value, found := w.takeOne(chance); found {
			return once(journal.Set, journal.Step{Do: journal.Remove, Key: setKey, Value: value}, w.sql("remove"), value)
		}
	}
	value := w.next()
	o := once(journal.Set, journal.Step{Do: journal.Add, Key: setKey, Value: value}, w.sql("add"), value)
	o.Done = w.known(value)
	return o
}

func (w set) Final(ctx context.Context, c *harness.Cluster) error {
	return w.final(ctx, c, once(journal.Set, journal.Step{Do: journal.Read, Key: setKey}, w.sql("read")))
}

// elements are values: each is used once, and those that are surely there can be
// taken, once.
type elements struct {
	mu    sync.Mutex
	used  int64
	there []int64
}

func (e *elements) next() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.used++
	return e.used
}

// known notes the value as surely there, if its operation is done.
func (e *elements) known(value int64) func(journal.Outcome) {
	return func(outcome journal.Outcome) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if outcome == journal.OK {
			e.there = append(e.there, value)
		}
	}
}

func (e *elements) takeOne(chance *rand.Rand) (value int64, found bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.there) == 0 {
		return 0, false
	}
	i, last := chance.IntN(len(e.there)), len(e.there)-1
	value = e.there[i]
	e.there[i] = e.there[last]
	e.there = e.there[:last]
	return value, true
}
