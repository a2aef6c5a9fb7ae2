package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

const lists = 5 // keys

type list struct {
	script
	values *atomic.Int64
}

// List is a handful of lists, and transactions that append to some and read some
// (Kingsbury and Alvaro, "Elle", VLDB 2020).
func List(ns string) Workload { return list{newScript("list", ns), new(atomic.Int64)} }

func (w list) Next(chance *rand.Rand, _ int) Operation {
	o := Operation{Op: journal.Op{Model: journal.List, Level: journal.Strong}}
	var texts []string
	for range 1 + chance.IntN(4) {
		key := listKey(chance.IntN(lists))
		if chance.IntN(2) == 0 {
			texts = append(texts, "read")
			o.Op.Steps = append(o.Op.Steps, journal.Step{Do: journal.Read, Key: key})
			o.Args = append(o.Args, key)
			continue
		}
		value := w.values.Add(1)
		texts = append(texts, "append")
		o.Op.Steps = append(o.Op.Steps, journal.Step{Do: journal.Append, Key: key, Value: value})
		o.Args = append(o.Args, key, value)
	}
	o.SQL = w.sql(texts...)
	return o
}

func listKey(i int) string { return fmt.Sprintf("list/%d", i) }

func (w list) Final(ctx context.Context, c *harness.Cluster) error {
	o := Operation{Op: journal.Op{Model: journal.List}}
	var texts []string
	for i := range lists {
		texts = append(texts, "read")
		o.Op.Steps = append(o.Op.Steps, journal.Step{Do: journal.Read, Key: listKey(i)})
		o.Args = append(o.Args, listKey(i))
	}
	o.SQL = w.sql(texts...)
	return w.final(ctx, c, o)
}
