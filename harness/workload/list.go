package workload

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// Lists runs transactions of one to four steps, each of which appends a value to a list or reads a list. No
// value is appended to a list twice, so that the reads show the order of the transactions, as in Elle (Kingsbury
// and Alvaro, VLDB 2020). The keys are list/0, list/1, and so on.
func Lists(ns string) Workload {
	return &lists{sql: readStatements("list", ns), names: newRolling(3, longestList)}
}

// longestList is how many values are appended to a list before another list takes its place, so that reads stay
// short.
const longestList = 32

type lists struct {
	sql   statements
	names *rolling
}

var listKey = named("list")

func (w *lists) Name() string { return "lists" }

func (w *lists) Setup(ctx context.Context, c *harness.Cluster) error { return w.sql.setup(ctx, c) }

func (w *lists) Next(r *rand.Rand, _ int) Operation {
	steps := make([]journal.Step, 1+r.IntN(4))
	var requests []string
	var args []any
	for i := range steps {
		if r.IntN(2) == 0 {
			name := w.names.some(r)
			steps[i] = read(listKey(name))
			requests, args = append(requests, w.sql.get("read")), append(args, name)
			continue
		}
		name, value := w.names.next(r)
		steps[i] = journal.Step{Do: journal.Append, Key: listKey(name), Value: value}
		requests, args = append(requests, w.sql.get("append")), append(args, name, value)
	}
	return Operation{
		Op:  journal.Op{Model: journal.List, Level: journal.Strong, Steps: steps},
		SQL: strings.Join(requests, "\n"), Args: args,
		Read: readInto(steps),
	}
}

func (w *lists) Final(ctx context.Context, c *harness.Cluster) error {
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.List}, SQL: w.sql.get("all"), Read: readAll(listKey, w.names.count()),
	})
}

// rolling gives out names, numbered from 0, of which some are in use at a time. A name is in use for a number
// of values, and then replaced by a new one. It is safe for concurrent use.
type rolling struct {
	most int64 // values of a name

	mu     sync.Mutex
	active []int64
	given  map[int64]int64 // how many values each active name has
	named  int64
}

func newRolling(atOnce int, most int64) *rolling {
	n := &rolling{most: most, given: make(map[int64]int64), named: int64(atOnce)}
	for name := range n.named {
		n.active = append(n.active, name)
	}
	return n
}

// some returns a name that is in use.
func (n *rolling) some(r *rand.Rand) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.active[r.IntN(len(n.active))]
}

// next returns a name that is in use, and its next value, from 1 on.
func (n *rolling) next(r *rand.Rand) (name, value int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	i := r.IntN(len(n.active))
	name = n.active[i]
	n.given[name]++
	value = n.given[name]
	if value == n.most {
		delete(n.given, name)
		n.active[i] = n.named
		n.named++
	}
	return name, value
}

// count returns how many names there were so far.
func (n *rolling) count() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.named
}
