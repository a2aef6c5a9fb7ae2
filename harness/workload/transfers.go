package workload

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// accounts is how many accounts a bank has, from the beginning.
const accounts = 8

// opening is the first balance of an account.
const opening = 100

// mostUnknown is how many transfers with an unknown outcome a judge can decide in moments.
const mostUnknown = 8

// transfers is what a bank knows of its transfers. It is safe for concurrent use.
type transfers struct {
	opened  sync.Once
	unknown atomic.Int64 // outcomes
}

// open records, once, that all accounts hold their first balance.
func (t *transfers) open(c *harness.Cluster, key func(int64) string) {
	t.opened.Do(func() {
		steps := make([]journal.Step, accounts)
		for i := range steps {
			steps[i] = journal.Step{Do: journal.Write, Key: key(int64(i)), Value: opening}
		}
		c.Journal().Invoke(journal.Op{Client: journal.None, Model: journal.Bank, Steps: steps}).End(journal.OK, nil, nil)
	})
}

// decidable tells whether a judge can still decide with one more transfer.
func (t *transfers) decidable() bool { return t.unknown.Load() < mostUnknown }

func (t *transfers) ended(outcome journal.Outcome) {
	if outcome == journal.Unknown {
		t.unknown.Add(1)
	}
}

// someTransfer draws two accounts and an amount.
func someTransfer(r *rand.Rand) (from, to, amount int64) {
	from = r.Int64N(accounts)
	to = (from + 1 + r.Int64N(accounts-1)) % accounts
	return from, to, 1 + r.Int64N(60)
}

// transferred are the steps of a transfer.
func transferred(key func(int64) string, from, to, amount int64) []journal.Step {
	return []journal.Step{
		{Do: journal.Increment, Key: key(to), Value: amount}, {Do: journal.Increment, Key: key(from), Value: -amount},
	}
}
