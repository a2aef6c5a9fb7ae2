package workload

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Set adds values to sets, removes values that are known to be there, and reads sets. No value is added twice. A
// set takes only a number of values, so that no read but the final one grows without bound. The keys are set/0,
// set/1, and so on.
func Set(ns string) Workload { return &set{sql: readStatements("set", ns)} }

// largestSet is how many values are added to a set.
const largestSet = 100

type set struct {
	sql statements

	mu    sync.Mutex
	last  int64   // the last value that was added
	known []int64 // values that are there, and that no operation removes yet
}

var setKey = named("set")

// setOf returns the set that a value is added to.
func setOf(value int64) int64 { return (value - 1) / largestSet }

func (w *set) Name() string { return "set" }

func (w *set) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

func (w *set) Next(r *rand.Rand, _ int) Operation {
	switch chance := r.IntN(10); {
	case chance < 6:
		return w.add()
	case chance < 8:
		if value, is := w.take(r); is {
			return w.remove(value)
		}
		return w.add()
	default:
		return w.read(r)
	}
}

func (w *set) add() Operation {
	w.mu.Lock()
	w.last++
	value := w.last
	w.mu.Unlock()
	return Operation{
		Op: journal.Op{Model: journal.Set, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Add, Key: setKey(setOf(value)), Value: value},
		}},
		SQL: w.sql.get("add"), Args: []any{setOf(value), value},
		Read: func(harness.Result) ([]journal.Step, error) { w.learn(value); return nil, nil },
	}
}

func (w *set) remove(value int64) Operation {
	return Operation{
		Op: journal.Op{Model: journal.Set, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Remove, Key: setKey(setOf(value)), Value: value},
		}},
		SQL: w.sql.get("remove"), Args: []any{setOf(value), value},
		Read: func(result harness.Result) ([]journal.Step, error) {
			if result.Affected() != 1 {
				return nil, errors.New("a value that was there was not removed")
			}
			return nil, nil
		},
	}
}

// read reads the set that values are added to, or an earlier one.
func (w *set) read(r *rand.Rand) Operation {
	w.mu.Lock()
	name := setOf(max(w.last, 1))
	w.mu.Unlock()
	if name > 0 && r.IntN(4) == 0 {
		name = r.Int64N(name)
	}
	steps := []journal.Step{read(setKey(name))}
	return Operation{
		Op: journal.Op{Model: journal.Set, Level: journal.Strong, Steps: steps}, SQL: w.sql.get("read"), Args: []any{name},
		Read: readInto(steps),
	}
}

func (w *set) learn(value int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = append(w.known, value)
}

// take returns a value that is there, for one operation to remove.
func (w *set) take(r *rand.Rand) (value int64, is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) == 0 {
		return 0, false
	}
	i, last := r.IntN(len(w.known)), len(w.known)-1
	value = w.known[i]
	w.known[i] = w.known[last]
	w.known = w.known[:last]
	return value, true
}

func (w *set) Final(ctx context.Context, c *harness.Cluster) error {
	w.mu.Lock()
	names := setOf(max(w.last, 1)) + 1
	w.mu.Unlock()
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Set}, SQL: w.sql.get("all"), Read: readAll(setKey, names),
	})
}
