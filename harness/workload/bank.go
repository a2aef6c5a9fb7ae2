package workload

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Bank moves money between eight accounts, and reads them all, also from the local state of a node: the total
// never changes. A transfer that would overdraw an account is refused. The keys are bank/0 to bank/7.
//
// Which of many transfers with an unknown outcome took effect is a subset-sum problem, and a judge that cannot
// decide fails the run. So clients only read once mostUnknown transfers have an unknown outcome.
func Bank(ns string) Workload { return &bank{sql: readStatements("bank", ns)} }

// accounts is how many there are, from the beginning.
const accounts = 8

type bank struct {
	sql    statements
	opened sync.Once

	unknown atomic.Int64 // transfers
}

// mostUnknown is how many transfers with an unknown outcome a judge can decide in moments.
const mostUnknown = 8

// opening is the first balance of an account.
const opening = 100

var bankKey = named("bank")

func (w *bank) Name() string { return "bank" }

// Setup opens the accounts, and records that once.
func (w *bank) Setup(ctx context.Context, c *harness.Cluster) error {
	if err := w.sql.setup(ctx, c); err != nil {
		return err
	}
	w.opened.Do(func() { recordOpening(c, bankKey) })
	return nil
}

// recordOpening records that all accounts hold their first balance.
func recordOpening(c *harness.Cluster, key func(int64) string) {
	steps := make([]journal.Step, accounts)
	for i := range steps {
		steps[i] = journal.Step{Do: journal.Write, Key: key(int64(i)), Value: opening}
	}
	c.Journal().Invoke(journal.Op{Client: journal.None, Model: journal.Bank, Steps: steps}).End(journal.OK, nil, nil)
}

func (w *bank) Next(r *rand.Rand, _ int) Operation {
	switch chance := r.IntN(10); {
	case chance < 6 && w.unknown.Load() < mostUnknown:
		return w.transfer(r)
	case chance < 8:
		return w.read(journal.Strong)
	default:
		return w.read(journal.Local)
	}
}

func (w *bank) transfer(r *rand.Rand) Operation {
	from := r.Int64N(accounts)
	to := (from + 1 + r.Int64N(accounts-1)) % accounts
	amount := 1 + r.Int64N(60)
	return Operation{
		Op: journal.Op{Model: journal.Bank, Level: journal.Strong, Steps: []journal.Step{
			{Do: journal.Increment, Key: bankKey(to), Value: amount},
			{Do: journal.Increment, Key: bankKey(from), Value: -amount},
		}},
		SQL: w.sql.get("transfer"), Args: []any{amount, to, amount, from},
		Refused: breaks,
		Ended: func(outcome journal.Outcome) {
			if outcome == journal.Unknown {
				w.unknown.Add(1)
			}
		},
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
