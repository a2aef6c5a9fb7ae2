package check_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// movements is a history of a correct bank of eight accounts of 100 each, and of clients
// that work flat out.
func movements(chance *rand.Rand, clients, operations int, lost float64) history {
	const accounts = 8
	type effect struct {
		at    int64
		event journal.Event
	}
	name := func(i int) string { return fmt.Sprint("bank/", i) }
	var opening []journal.Step
	for i := range accounts {
		opening = append(opening, do(journal.Write, name(i), 100))
	}
	h := history{happened(-1, -1, -1, ok, journal.Bank, "", opening...)}
	free := make([]int64, clients)
	var effects []effect
	for n := range operations {
		client := n % clients
		from := free[client] + 1
		to := from + 50 + chance.Int64N(500)
		free[client] = to
		op := &journal.Op{Client: client, Outcome: ok, Model: journal.Bank, Level: strong}
		at := from + chance.Int64N(to-from)
		if p := chance.IntN(10); p < 6 {
			a := chance.IntN(accounts)
			by := 1 + chance.Int64N(60)
			op.Steps = []journal.Step{do(journal.Increment, name((a+1+chance.IntN(accounts-1))%accounts), by), do(journal.Increment, name(a), -by)}
			if chance.Float64() < lost {
				op.Outcome = unknown
				at = []int64{at, -1, from + chance.Int64N(5000)}[chance.IntN(3)]
			}
		} else {
			for i := range accounts {
				op.Steps = append(op.Steps, journal.Step{Do: journal.Read, Key: name(i)})
			}
			if p >= 8 {
				op.Level = local
				at = max(0, from-chance.Int64N(400))
			}
		}
		effects = append(effects, effect{at, journal.Event{At: begun.Add(time.Duration(from) * time.Microsecond),
			Took: time.Duration(to-from) * time.Microsecond,
			Kind: journal.Operation, Node: journal.None, Op: op}})
	}
	slices.SortStableFunc(effects, func(a, b effect) int { return cmp.Compare(a.at, b.at) })
	s := state{}
	for i := range accounts {
		s[name(i)] = []int64{100}
	}
	for _, e := range effects {
		if e.at >= 0 {
			s = carryOutOne(e.event.Op, s, bankSemantics)
		}
		h = append(h, e.event)
	}
	last := happened(-1, 1000, 1001, ok, journal.Bank, local)
	for i := range accounts {
		last.Op.Steps = append(last.Op.Steps, read(name(i), s[name(i)]...))
	}
	last.Op.Final = true
	return append(h, last)
}

func BenchmarkBanks(b *testing.B) {
	for _, c := range []struct {
		clients, operations int
		lost                float64
	}{{3, 300, 0.05}, {5, 1000, 0.02}, {5, 3000, 0.05}, {16, 1000, 0.03}} {
		b.Run(fmt.Sprintf("%d operations, %d clients, %.0f%% unknown", c.operations, c.clients, 100*c.lost), func(b *testing.B) {
			h := movements(rand.New(rand.NewPCG(1, 1)), c.clients, c.operations, c.lost)
			for b.Loop() {
				if err := check.Total(h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
