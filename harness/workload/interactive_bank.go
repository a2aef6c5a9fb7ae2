package workload

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// InteractiveBank is Bank with interactive transactions at a level: to move money, the client reads both balances and
// writes both back, so that a lost update changes the total. It reads all accounts with two statements of one transaction,
// so that a read skew shows another total. The keys are interactive-bank/0 to interactive-bank/7. As in Bank, clients only
// read once a few transfers have an unknown outcome.
func InteractiveBank(ns string, level target.Isolation) Workload {
	return &interactiveBank{interactive: newInteractive("interactive-bank", ns, level)}
}

type interactiveBank struct {
	interactive
	transfers transfers
}

var interactiveBankKey = named("interactive-bank")

// Setup opens the accounts, and records that once.
func (w *interactiveBank) Setup(ctx context.Context, c *harness.Cluster) error {
	if err := w.interactive.Setup(ctx, c); err != nil {
		return err
	}
	w.transfers.open(c, interactiveBankKey)
	return nil
}

func (w *interactiveBank) Next(r *rand.Rand, _ int) Operation {
	if r.IntN(10) < 6 && w.transfers.decidable() {
		return w.transfer(r)
	}
	return w.read()
}

func (w *interactiveBank) transfer(r *rand.Rand) Operation {
	from, to, amount := someTransfer(r)
	changes := transferred(interactiveBankKey, from, to, amount)
	op := w.operation(journal.Bank, changes, func(ctx context.Context, t *harness.Transaction) ([]journal.Step, error) {
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
		if _, err := w.within(ctx, t, "write", source-amount, from); err != nil {
			return nil, err
		}
		if _, err := w.within(ctx, t, "write", sink+amount, to); err != nil {
			return nil, err
		}
		return changes, nil
	})
	op.Ended = w.transfers.ended
	return op
}

// balance reads one account.
func (w *interactiveBank) balance(ctx context.Context, t *harness.Transaction, name int64) (int64, error) {
	answer, err := w.within(ctx, t, "read", name)
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
	return w.operation(journal.Bank, steps, func(ctx context.Context, t *harness.Transaction) ([]journal.Step, error) {
		all := make(map[int64][]int64)
		for odd := range int64(2) {
			answer, err := w.within(ctx, t, "some", odd)
			if err != nil {
				return nil, err
			}
			some, err := columns(answer, 0)
			if err != nil {
				return nil, err
			}
			maps.Copy(all, some)
		}
		return stepsOf(all, interactiveBankKey, accounts), nil
	})
}

func (w *interactiveBank) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.Bank}, SQL: w.sql.get("all"), Read: readAll(interactiveBankKey, accounts),
	})
}
