package workload

import (
	"context"
	"math/rand/v2"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// InteractiveRegisters runs interactive transactions at a level on four registers: each reads two of them, and then
// writes none, one of them, or both. No value is written twice. Where two transactions may each overwrite what the other
// one has read, that shows as a write skew. The keys are interactive-register/0 to interactive-register/3.
func InteractiveRegisters(ns string, level target.Isolation) Workload {
	return &interactiveRegisters{sql: readStatements("interactive-registers", ns), level: level}
}

// interactives is how many registers there are.
const interactives = 4

type interactiveRegisters struct {
	sql   statements
	level target.Isolation
	last  atomic.Int64 // the last value that was written
}

var interactiveRegisterKey = named("interactive-register")

func (w *interactiveRegisters) Name() string { return "interactive-registers" }

func (w *interactiveRegisters) Setup(ctx context.Context, c *harness.Cluster) error {
	return w.sql.setupAt(ctx, c, w.level)
}

func (w *interactiveRegisters) Next(r *rand.Rand, _ int) Operation {
	one := r.Int64N(interactives)
	both := []int64{one, (one + 1 + r.Int64N(interactives-1)) % interactives}
	steps := []journal.Step{read(interactiveRegisterKey(both[0])), read(interactiveRegisterKey(both[1]))}
	writes := both[:[]int{0, 1, 1, 2}[r.IntN(4)]]
	for _, name := range writes {
		steps = append(steps, journal.Step{Do: journal.Write, Key: interactiveRegisterKey(name), Value: w.last.Add(1)})
	}
	return Operation{
		Op:        journal.Op{Model: journal.Registers, Level: journal.Local, Steps: steps},
		Isolation: w.level,
		Transaction: func(ctx context.Context, t *harness.Transaction) (done []journal.Step, err error) {
			for _, name := range both {
				answer, err := w.sql.within(ctx, t, "read", name)
				if err != nil {
					return nil, err
				}
				values, err := column(answer, 0)
				if err != nil {
					return nil, err
				}
				done = append(done, got(interactiveRegisterKey(name), values))
			}
			for i, name := range writes {
				step := steps[len(both)+i]
				if _, err := w.sql.within(ctx, t, "write", step.Value, name); err != nil {
					return nil, err
				}
				done = append(done, step)
			}
			return done, nil
		},
	}
}

func (w *interactiveRegisters) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Registers}, SQL: w.sql.get("all"), Read: readAll(interactiveRegisterKey, interactives),
	})
}
