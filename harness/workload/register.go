package workload

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Register reads, writes, and compares and sets that many registers, at least one. No value is written twice, so
// that a read shows which write it saw. The keys are register/0, register/1, and so on.
func Register(ns string, keys int) Workload {
	return &register{sql: readStatements("register", ns), keys: int64(max(keys, 1)), held: make(map[int64]int64)}
}

type register struct {
	sql  statements
	keys int64
	last atomic.Int64 // the last value that was written

	mu   sync.Mutex
	held map[int64]int64 // the last known value of each, as a guess for a CAS
}

var registerKey = named("register")

func (w *register) Name() string { return "register" }

func (w *register) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

func (w *register) Next(r *rand.Rand, _ int) Operation {
	name := r.Int64N(w.keys)
	switch chance := r.IntN(10); {
	case chance < 4:
		return w.read(name)
	case chance < 7:
		return w.write(name)
	default:
		return w.cas(name)
	}
}

func (w *register) read(name int64) Operation {
	steps := []journal.Step{read(registerKey(name))}
	into := readInto(steps)
	return Operation{
		Op: journal.Op{Model: journal.Register, Level: journal.Strong, Steps: steps}, SQL: w.sql.get("read"), Args: []any{name},
		Read: func(result harness.Result) ([]journal.Step, error) {
			read, err := into(result)
			if err == nil && len(read[0].Got) > 0 {
				w.note(name, read[0].Got[0])
			}
			return read, err
		},
	}
}

func (w *register) write(name int64) Operation {
	value := w.last.Add(1)
	return Operation{
		Op: journal.Op{Model: journal.Register, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Write, Key: registerKey(name), Value: value},
		}},
		SQL: w.sql.get("write"), Args: []any{name, value},
		Read: func(harness.Result) ([]journal.Step, error) { w.note(name, value); return nil, nil },
	}
}

func (w *register) cas(name int64) Operation {
	step := journal.Step{Do: journal.CAS, Key: registerKey(name), Old: w.guess(name), Value: w.last.Add(1)}
	return Operation{
		Op:  journal.Op{Model: journal.Register, Level: journal.Strong, Steps: []journal.Step{step}},
		SQL: w.sql.get("cas"), Args: []any{step.Value, name, step.Old},
		Read: func(result harness.Result) ([]journal.Step, error) {
			step := step
			step.Got = []int64{result.Affected()}
			if result.Affected() == 1 {
				w.note(name, step.Value)
			}
			return []journal.Step{step}, nil
		},
	}
}

func (w *register) note(name, value int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[name] = value
}

func (w *register) guess(name int64) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.held[name]
}

func (w *register) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Register}, SQL: w.sql.get("all"), Read: readAll(registerKey, w.keys),
	})
}
