package workload

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// InteractiveRegisters runs interactive transactions at a level on registers: each reads two of them, and then writes
// none, one of them, or both. No value is written twice. Where two transactions may each overwrite what the other one has
// read, that shows as a write skew. A register takes only a few values before another takes its place, so that the order
// of its values can be found. The keys are interactive-register/0, interactive-register/1, and so on.
func InteractiveRegisters(ns string, level target.Isolation) Workload {
	return &interactiveRegisters{newInteractive("interactive-registers", ns, level), newRolling(4, mostValues)}
}

// mostValues is how many values a register takes.
const mostValues = 12

type interactiveRegisters struct {
	interactive
	names *rolling
}

var interactiveRegisterKey = named("interactive-register")

// registerStep is one register of a transaction.
type registerStep struct {
	name, value int64 // value is 0 for a read alone
}

func (w *interactiveRegisters) Next(r *rand.Rand, _ int) Operation {
	var plan []registerStep
	var steps, writes []journal.Step
	for len(plan) < 2 {
		s := registerStep{name: w.names.some(r)}
		if r.IntN(2) == 0 {
			s.name, s.value = w.names.next(r)
		}
		if len(plan) == 1 && plan[0].name == s.name {
			continue // a value that is never written
		}
		plan = append(plan, s)
		key := interactiveRegisterKey(s.name)
		steps = append(steps, read(key))
		if s.value > 0 {
			writes = append(writes, journal.Step{Do: journal.Write, Key: key, Value: s.value})
		}
	}
	steps = append(steps, writes...)
	op := w.operation(journal.Registers, steps, func(ctx context.Context, t *harness.Transaction) ([]journal.Step, error) {
		read, err := w.run(ctx, t, plan)
		return append(read, writes...), err
	})
	op.Refused = breaks // two clients create a register
	return op
}

// run reads the registers of a transaction, writes those that have a new value, and returns what was read.
func (w *interactiveRegisters) run(ctx context.Context, t *harness.Transaction, plan []registerStep) (steps []journal.Step, err error) {
	for _, s := range plan {
		answer, err := w.within(ctx, t, "read", s.name)
		if err != nil {
			return nil, err
		}
		values, err := column(answer, 0)
		if err != nil {
			return nil, err
		}
		steps = append(steps, got(interactiveRegisterKey(s.name), values))
	}
	for i, s := range plan {
		switch {
		case s.value == 0:
		case len(steps[i].Got) == 0:
			_, err = w.within(ctx, t, "create", s.name, s.value)
		default:
			_, err = w.within(ctx, t, "write", s.value, s.name)
		}
		if err != nil {
			return nil, err
		}
	}
	return steps, nil
}

func (w *interactiveRegisters) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Registers}, SQL: w.sql.get("all"), Read: readAll(interactiveRegisterKey, w.names.count()),
	})
}
