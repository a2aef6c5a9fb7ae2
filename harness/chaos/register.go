package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

const registers = 4 // keys

type register struct {
	script
	values *atomic.Int64
}

// Register is a handful of registers that are read, written, and compared and set.
func Register(ns string) Workload { return register{newScript("register", ns), new(atomic.Int64)} }

func (w register) Next(chance *rand.Rand, _ int) Operation {
	key := registerKey(chance.IntN(registers))
	switch chance.IntN(5) {
	case 0, 1:
		return once(journal.Register, journal.Step{Do: journal.Read, Key: key}, w.sql("read"), key).at(journal.Strong)
	case 2, 3:
		value := w.values.Add(1)
		return once(journal.Register, journal.Step{Do: journal.Write, Key: key, Value: value}, w.sql("write"), key, value)
	}
	value := w.values.Add(1)
	old := max(1, value-1-chance.Int64N(2*registers)) // likely one of the latest
	return once(journal.Register, journal.Step{Do: journal.CAS, Key: key, Old: old, Value: value}, w.sql("cas"), value, key, old)
}

func registerKey(i int) string { return fmt.Sprintf("register/%d", i) }

func (w register) Final(ctx context.Context, c *harness.Cluster) error {
	var steps []journal.Step
	for i := range registers {
		steps = append(steps, journal.Step{Do: journal.Read, Key: registerKey(i), Got: []int64{}})
	}
	return w.final(ctx, c, Operation{Op: journal.Op{Model: journal.Register, Steps: steps}, SQL: w.sql("all"), Read: func(r harness.Result) ([]journal.Step, error) {
		return byKey(steps, r)
	}})
}

// byKey puts rows of a key and a value each into the steps of those keys.
func byKey(steps []journal.Step, r harness.Result) ([]journal.Step, error) {
	got := append([]journal.Step(nil), steps...)
	for _, row := range r.Rows() {
		known := false
		for i := range got {
			if len(row) == 2 && fmt.Sprint(row[0]) == got[i].Key {
				value, is := row[1].(int64)
				if !is {
					return nil, fmt.Errorf("%s holds %v (%T), and not a whole number", got[i].Key, row[1], row[1])
				}
				got[i].Got, known = append(got[i].Got, value), true
			}
		}
		if !known {
			return nil, fmt.Errorf("there is a row that nobody wrote: %v", row)
		}
	}
	return got, nil
}
