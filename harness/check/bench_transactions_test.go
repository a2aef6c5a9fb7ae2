package check_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rejoin-db/rejoin/harness/check"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// clientsAtWork are transactions of 64 clients, of one to four steps, over three keys
// at a time that make room for others after 32 values. Each takes effect at one instant.
func clientsAtWork(r *rand.Rand, model journal.Model, transactions int) history {
	const clients, most = 64, 32
	keys := []int{0, 1, 2}
	named := len(keys)
	values := make([][]int64, len(keys))
	now := int64(0)
	h := make(history, 0, transactions)
	for n := range transactions {
		now += 20_000
		steps := make([]journal.Step, 1+r.IntN(4))
		for i := range steps {
			k := r.IntN(len(keys))
			steps[i] = journal.Step{Do: journal.Read, Key: fmt.Sprint("key/", keys[k])}
			if r.IntN(2) == 0 {
				steps[i].Got = slices.Clone(values[k])
				if model == journal.Registers {
					steps[i].Got = slices.Clone(values[k][max(0, len(values[k])-1):])
				}
				if steps[i].Got == nil {
					steps[i].Got = []int64{}
				}
				continue
			}
			steps[i].Do, steps[i].Value = writing(model), int64(len(values[k])+1)
			values[k] = append(values[k], steps[i].Value)
			if len(values[k]) == most {
				keys[k], values[k] = named, nil
				named++
			}
		}
		from := now - r.Int64N(clients*10_000)
		e := journal.Event{At: begun.Add(time.Duration(from)), Took: time.Duration(now - from + r.Int64N(clients*10_000)),
			Kind: journal.Operation, Node: journal.None,
			Op: &journal.Op{Client: n % clients, Outcome: ok, Model: model, Level: strong, Steps: steps}}
		h = append(h, e)
	}
	slices.SortFunc(h, func(a, b journal.Event) int { return a.At.Compare(b.At) })
	return h
}

// peak watches how much memory objects take, until the function that it returns is called.
func peak() func() uint64 {
	runtime.GC()
	ended, most := make(chan struct{}), uint64(0)
	var watching sync.WaitGroup
	watching.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-ended:
				return
			case <-tick.C:
			}
		}
	})
	return func() uint64 {
		close(ended)
		watching.Wait()
		return most
	}
}

func benchmark(b *testing.B, h history, judge func(history) error) {
	b.ReportAllocs()
	end := peak()
	for b.Loop() {
		if err := judge(h); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(end())/(1<<20), "peak-MiB")
}

// On one core 10,000 transactions are to be judged in 0.15 s, 100,000 in 2 s, and
// 1,000,000 in 30 s and 2 GiB, the history included.
func BenchmarkStrictlySerializable(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"10k", 10_000}, {"100k", 100_000}, {"1M", 1_000_000}} {
		b.Run(size.name, func(b *testing.B) {
			benchmark(b, clientsAtWork(rand.New(rand.NewPCG(1, 1)), journal.List, size.n), check.StrictlySerializable)
		})
	}
}

func BenchmarkRegistersOfTransactions(b *testing.B) {
	for _, l := range transactionLevels {
		b.Run(l.name, func(b *testing.B) {
			benchmark(b, clientsAtWork(rand.New(rand.NewPCG(1, 1)), journal.Registers, 10_000), l.judge)
		})
	}
}
