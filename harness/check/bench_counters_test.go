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

// increments is a history of two correct counters, of clients that work flat out.
func increments(chance *rand.Rand, clients, operations int, lost float64) history {
	type effect struct {
		at    int64
		event journal.Event
	}
	free := make([]int64, clients)
	var effects []effect
	for n := range operations {
		client := n % clients
		from := free[client] + 1
		to := from + 50 + chance.Int64N(500)
		free[client] = to
		key := fmt.Sprint("counter/", chance.IntN(2))
		op := &journal.Op{Client: client, Outcome: ok, Model: journal.Counter, Level: strong,
			Steps: []journal.Step{{Do: journal.Read, Key: key}}}
		at := from + chance.Int64N(to-from)
		if chance.IntN(3) > 0 {
			op.Steps[0] = do(journal.Increment, key, 1+chance.Int64N(5))
			if chance.Float64() < lost {
				op.Outcome = unknown
				at = []int64{at, -1, from + chance.Int64N(5000)}[chance.IntN(3)]
			}
		}
		effects = append(effects, effect{at, journal.Event{At: begun.Add(time.Duration(from) * time.Microsecond),
			Took: time.Duration(to-from) * time.Microsecond,
			Kind: journal.Operation, Node: journal.None, Op: op}})
	}
	slices.SortStableFunc(effects, func(a, b effect) int { return cmp.Compare(a.at, b.at) })
	s := state{"counter/0": {0}, "counter/1": {0}}
	var h history
	for _, e := range effects {
		if e.at >= 0 {
			s = carryOutOne(e.event.Op, s, counterSemantics)
		}
		h = append(h, e.event)
	}
	return h
}

func BenchmarkCounters(b *testing.B) {
	for _, c := range []struct {
		clients, operations int
		lost                float64
	}{{5, 1000, 0.02}, {5, 3000, 0.05}, {16, 1000, 0.03}} {
		b.Run(fmt.Sprintf("%d operations, %d clients, %.0f%% unknown", c.operations, c.clients, 100*c.lost), func(b *testing.B) {
			h := increments(rand.New(rand.NewPCG(1, 1)), c.clients, c.operations, c.lost)
			for b.Loop() {
				if err := check.Counted(h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
