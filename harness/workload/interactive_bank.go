package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// InteractiveBank is Bank with interactive transactions at a level: to move money, the client reads both balances and
// writes both back, so that a lost update changes the total. It reads all accounts with two statements of one transaction,
// so that a read skew shows another total. The keys are interactive-bank/0 to interactive-bank/7. As in Bank, clients only
// read once a few transfers have an unknown outcome.
func InteractiveBank(ns string, level target.Isolation) Workload {
	return &interactiveBank{sql: readStatements("interactive-bank", ns), level: level}
}

type interactiveBank struct {
	sql    statements
	level  target.Isolation
	opened sync.Once

	unknown atomic.Int64 // transfers
}

var interactiveBankKey = named("interactive-bank")

func (w *interactiveBank) Name() string { return "interactive-bank" }

// Setup opens the accounts, and records that once.
func (w *interactiveBank) Setup(ctx context.Context, c *harness.Cluster) error {
	if err := w.sql.setupAt(ctx, c, w.level); err != nil {
		return err
	}
	w.opened.Do(func() { recordOpening(c, interactiveBankKey) })
	return nil
}

func (w *interactiveBank) Next(r *rand.Rand, _ int) Operation {
	if r.IntN(10) < 6 && w.unknown.Load() < mostUnknown {
		return w.transfer(r)
	}
	return w.read()
}

func (w *interactiveBank) transfer(r *rand.Rand) Operation {
	from := r.Int64N(accounts)
	to := (from + 1 + r.Int64N(accounts-1)) % accounts
	amount := 1 + r.Int64N(60)
	changes := []journal.Step{
		{Do: journal.Increment, Key: interactiveBankKey(to), Value: amount},
		{Do: journal.Increment, Key: interactiveBankKey(from), Value: -amount},
	}
	return Operation{
		Op:        journal.Op{Model: journal.Bank, Level: journal.Local, Steps: changes},
		Isolation: w.level,
		Transaction: func(ctx context.Context, t *harness.Transaction) ([]journal.Step, error) {
			source, err := w.balance(ctx, t, from)
			if err != nil {
				return nil, err
			}
			if source < amount {
				return nil, fmt.Errorf("%w: a balance of %d does not suffice for %d", errDeclined, source, amount)
			}
			sink, err := w.balance(ctx, t, to)
			if err != nil {
				return nil, err
			}
			if _, err := w.sql.within(ctx, t, "write", source-amount, from); err != nil {
				return nil, err
			}
			if _, err := w.sql.within(ctx, t, "write", sink+amount, to); err != nil {
				return nil, err
			}
			return changes, nil
		},
		Ended: func(outcome journal.Outcome) {
			if outcome == journal.Unknown {
				w.unknown.Add(1)
			}
		},
	}
}

// balance reads one account.
func (w *interactiveBank) balance(ctx context.Context, t *harness.Transaction, name int64) (int64, error) {
	answer, err := w.sql.within(ctx, t, "read", name)
	if err != nil {
		return 0, err
	}
	value, err := answer.Value()
	if err != nil {
		return 0, err
	}
	return integer(answer, value)
}

// read reads the accounts with even names, and then those with odd ones.
func (w *interactiveBank) read() Operation {
	steps := make([]journal.Step, accounts)
	for i := range steps {
		steps[i] = read(interactiveBankKey(int64(i)))
	}
	return Operation{
		Op:        journal.Op{Model: journal.Bank, Level: journal.Local, Steps: steps},
		Isolation: w.level,
		Transaction: func(ctx context.Context, t *harness.Transaction) ([]journal.Step, error) {
			all := make(map[int64][]int64)
			for odd := range int64(2) {
				answer, err := w.sql.within(ctx, t, "some", odd)
				if err != nil {
					return nil, err
				}
				some, err := columns(answer, 0)
				if err != nil {
					return nil, err
				}
				for name, balance := range some {
					all[name] = balance
				}
			}
			return stepsOf(all, interactiveBankKey, accounts), nil
		},
	}
}

func (w *interactiveBank) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Bank}, SQL: w.sql.get("all"), Read: readAll(interactiveBankKey, accounts),
	})
}
