package workload

import (
	"context"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Bank moves money between eight accounts, and reads them all, also from the local state of a node: the total
// never changes. A transfer that would overdraw an account is refused. The keys are bank/0 to bank/7.
//
// Which of many transfers with an unknown outcome took effect is a subset-sum problem, and a judge that cannot
// decide fails the run. So clients only read once mostUnknown transfers have an unknown outcome.
func Bank(ns string) Workload { return &bank{sql: readStatements("bank", ns)} }

type bank struct {
	sql       statements
	transfers transfers
}

var bankKey = named("bank")

func (w *bank) Name() string { return "bank" }

// Setup opens the accounts, and records that once.
func (w *bank) Setup(ctx context.Context, c *harness.Cluster) error {
	if err := w.sql.setup(ctx, c); err != nil {
		return err
	}
	w.transfers.open(c, bankKey)
	return nil
}

func (w *bank) Next(r *rand.Rand, _ int) Operation {
	switch chance := r.IntN(10); {
	case chance < 6 && w.transfers.decidable():
		return w.transfer(r)
	case chance < 8:
		return w.read(journal.Strong)
	default:
		return w.read(journal.Local)
	}
}

func (w *bank) transfer(r *rand.Rand) Operation {
	from, to, amount := someTransfer(r)
	return Operation{
		Op:  journal.Op{Model: journal.Bank, Level: journal.Strong, Steps: transferred(bankKey, from, to, amount)},
		SQL: w.sql.get("transfer"), Args: []any{amount, to, amount, from},
		Refused: breaks, Ended: w.transfers.ended,
	}
}

func (w *bank) read(level journal.Level) Operation {
	steps := make([]journal.Step, accounts)
	for i := range steps {
		steps[i] = read(bankKey(int64(i)))
	}
	return Operation{
		Op:  journal.Op{Model: journal.Bank, Level: level, Steps: steps},
		SQL: w.sql.get("all"), Read: readAll(bankKey, accounts),
	}
}

func (w *bank) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, w.read(journal.Local))
}
