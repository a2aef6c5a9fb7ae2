package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

const (
	accounts = 8
	balance  = 100 // of each account at first
)

type bank struct{ script }

// Bank is accounts with transfers between them: the total stays what it was, and no
// balance is ever below 0. A transfer that would make it so fails as a whole.
func Bank(ns string) Workload { return bank{newScript("bank", ns)} }

func (w bank) Next(chance *rand.Rand, _ int) Operation {
	switch chance.IntN(6) {
	case 0:
		return w.read().at(journal.Strong)
	case 1:
		return w.read().at(journal.Local)
	}
	from := chance.IntN(accounts)
	to := (from + 1 + chance.IntN(accounts-1)) % accounts
	amount := 1 + chance.Int64N(balance/2)
	return Operation{Op: journal.Op{Model: journal.Bank, Steps: []journal.Step{
		{Do: journal.Increment, Key: account(from), Value: -amount}, {Do: journal.Increment, Key: account(to), Value: amount},
	}}, SQL: w.sql("transfer"), Args: []any{amount, from, amount, to}}
}

func account(i int) string { return fmt.Sprintf("account/%d", i) }

func (w bank) read() Operation {
	steps := make([]journal.Step, accounts)
	for i := range steps {
		steps[i] = journal.Step{Do: journal.Read, Key: account(i)}
	}
	return Operation{Op: journal.Op{Model: journal.Bank, Steps: steps}, SQL: w.sql("read"), Read: func(r harness.Result) ([]journal.Step, error) {
		rows := r.Rows()
		got := append([]journal.Step(nil), steps...)
		for i := range got {
			if i >= len(rows) || rows[i][0] != int64(i) {
				return nil, fmt.Errorf("account %d is missing: %v", i, rows)
			}
			value, is := rows[i][1].(int64)
			if !is {
				return nil, fmt.Errorf("account %d holds %v", i, rows[i][1])
			}
			got[i].Got = []int64{value}
		}
		return got, nil
	}}
}

func (w bank) Final(ctx context.Context, c *harness.Cluster) error { return w.final(ctx, c, w.read()) }
