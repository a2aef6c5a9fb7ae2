package check_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// simulated are operations of clients on registers that really are linearizable:
// each takes effect at one instant within its time. Some have an unknown outcome.
func simulated(chance *rand.Rand, clients, operations, keys int) history {
	type register struct {
		there bool
		value int64
	}
	registers := make([]register, keys)
	free := make([]int64, clients) // when each client may go on, in microseconds
	number := make([]int, clients)
	for i := range number {
		number[i] = i
	}
	var h history
	now := int64(0)
	for n := range operations {
		client := n % clients
		now += 1 + chance.Int64N(20)
		now = max(now, free[client])
		key, r := "r"+string(rune('a'+n%keys)), &registers[n%keys]
		s := journal.Step{Do: journal.Read, Key: key, Got: []int64{}}
		switch outcome := journal.OK; chance.IntN(4) {
		case 0:
			s = journal.Step{Do: journal.Write, Key: key, Value: int64(n + 1)}
			*r = register{true, s.Value}
			if chance.IntN(50) == 0 {
				outcome = journal.Unknown
			}
			h = append(h, spread(chance, number[client], now, outcome, s))
			if outcome == journal.Unknown {
				number[client] += clients
			}
		case 1:
			s = journal.Step{Do: journal.CAS, Key: key, Old: r.value, Value: int64(n + 1), Got: []int64{0}}
			if r.there && chance.IntN(2) == 0 {
				s.Got[0] = 1
				*r = register{true, s.Value}
			} else if s.Old++; r.there {
				s.Old = -1
			}
			h = append(h, spread(chance, number[client], now, outcome, s))
		default:
			if r.there {
				s.Got = []int64{r.value}
			}
			h = append(h, spread(chance, number[client], now, outcome, s))
		}
		free[client] = h[len(h)-1].End().Sub(begun).Microseconds() + 1
	}
	return h
}

// spread gives the operation a beginning before its instant, and an end after.
func spread(chance *rand.Rand, client int, instant int64, outcome journal.Outcome, s journal.Step) journal.Event {
	from, to := instant, instant+1+chance.Int64N(200)
	return journal.Event{At: begun.Add(time.Duration(from) * time.Microsecond), Took: time.Duration(to-from) * time.Microsecond,
		Kind: journal.Operation, Op: &journal.Op{Client: client, Outcome: outcome, Model: journal.Register, Level: journal.Strong,
			Steps: []journal.Step{s}}}
}

// The history of 64 clients and 10,000 operations is to be judged in a second.
func BenchmarkLinearizable(b *testing.B) {
	h := simulated(rand.New(rand.NewPCG(1, 1)), 64, 10_000, 4)
	for b.Loop() {
		if err := check.Linearizable(h); err != nil {
			b.Fatal(err)
		}
	}
}
