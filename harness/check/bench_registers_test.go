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

// traffic is what clients do to registers, each flat out: it begins an operation as soon
// as its last has ended.
type traffic struct {
	clients, operations, keys int
	unknown                   float64 // the part of writes whose outcome is unknown
	values                    int64   // values are of a domain of this size; unique if 0
	cas                       bool
}

// run is a history of correct registers. Each operation takes effect at an instant
// within its time; one of unknown outcome perhaps later, or never.
func (t traffic) run(chance *rand.Rand) history {
	registers := make([][]int64, t.keys)
	free, number := make([]int64, t.clients), make([]int, t.clients) // free in microseconds
	type effect struct {
		at   int64
		from int64
		op   *journal.Op
		key  int
		to   int64
	}
	var effects []effect
	for i := range number {
		number[i] = i
	}
	for n := range t.operations {
		client := n % t.clients
		from := free[client] + 1 + chance.Int64N(5)
		to := from + 50 + chance.Int64N(500)
		free[client] = to
		key := chance.IntN(t.keys)
		step := journal.Step{Do: journal.Read, Key: fmt.Sprint("r", key)}
		value := int64(n + 1)
		if t.values > 0 {
			value = 1 + chance.Int64N(t.values)
		}
		switch p := chance.IntN(10); {
		case p < 3:
			step.Do, step.Value = journal.Write, value
		case p < 6 && t.cas:
			step.Do, step.Value = journal.CAS, value
		}
		op := &journal.Op{Client: number[client], Outcome: ok, Model: journal.Register, Level: strong, Steps: []journal.Step{step}}
		at := from + chance.Int64N(to-from)
		if step.Do != journal.Read && chance.Float64() < t.unknown {
			op.Outcome = unknown
			number[client] += t.clients
			switch chance.IntN(4) {
			case 0:
				at = -1
			case 1:
				at = from + chance.Int64N(20_000)
			}
		}
		effects = append(effects, effect{at, from, op, key, to})
	}
	inTime := make([]int, len(effects))
	for i := range inTime {
		inTime[i] = i
	}
	slices.SortFunc(inTime, func(i, j int) int { return cmp.Compare(effects[i].at, effects[j].at) })
	for _, i := range inTime {
		if e := effects[i]; e.at >= 0 {
			registers[e.key] = t.answer(chance, e.op, registers[e.key])
		}
	}
	var h history
	for _, e := range effects {
		h = append(h, journal.Event{At: begun.Add(time.Duration(e.from) * time.Microsecond), Took: time.Duration(e.to-e.from) * time.Microsecond,
			Kind: journal.Operation, Node: journal.None, Op: e.op})
	}
	return h
}

// answer is the register after the operation.
func (t traffic) answer(chance *rand.Rand, op *journal.Op, is []int64) []int64 {
	step := &op.Steps[0]
	switch step.Do {
	case journal.Read:
		step.Got = append([]int64{}, is...)
		return is
	case journal.Write:
		return []int64{step.Value}
	}
	matches := len(is) > 0 && chance.IntN(2) == 0
	step.Old = -1
	if len(is) > 0 {
		step.Old = is[0] - 1
	}
	if matches {
		step.Old = is[0]
	}
	if op.Outcome == ok {
		step.Got = []int64{map[bool]int64{false: 0, true: 1}[matches]}
	}
	if matches {
		return []int64{step.Value}
	}
	return is
}

func BenchmarkRegisters(b *testing.B) {
	for _, t := range []traffic{
		{8, 10_000, 1, 0.01, 0, true},
		{64, 10_000, 1, 0.01, 0, true},
		{64, 10_000, 1, 0.01, 0, false},
		{64, 100_000, 10, 0.01, 0, true},
		{64, 100_000, 10, 0.01, 0, false},
	} {
		b.Run(fmt.Sprintf("%d operations, %d keys, %d clients, %.0f%% unknown, domain %d, cas %v", t.operations, t.keys, t.clients,
			100*t.unknown, t.values, t.cas), func(b *testing.B) {
			h := t.run(rand.New(rand.NewPCG(1, 1)))
			for b.Loop() {
				if err := check.Linearizable(h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
