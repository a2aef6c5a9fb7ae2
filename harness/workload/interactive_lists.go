package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// InteractiveLists is Lists with interactive transactions at a level: to append a value, the client reads the list,
// and writes it back with one value more, so that a lost update loses a value. A transaction reads or extends one to
// three lists. The keys are interactive-list/0, interactive-list/1, and so on.
func InteractiveLists(ns string, level target.Isolation) Workload {
	return &interactiveLists{newInteractive("interactive-lists", ns, level), newRolling(3, longestList)}
}

type interactiveLists struct {
	interactive
	names *rolling
}

var interactiveListKey = named("interactive-list")

// listStep is one read or append.
type listStep struct {
	name, value int64 // value is 0 for a read
}

func (w *interactiveLists) Next(r *rand.Rand, _ int) Operation {
	plan := make([]listStep, 1+r.IntN(3))
	var steps []journal.Step
	for i := range plan {
		if r.IntN(2) == 0 {
			plan[i] = listStep{name: w.names.some(r)}
			steps = append(steps, read(interactiveListKey(plan[i].name)))
			continue
		}
		name, value := w.names.next(r)
		plan[i] = listStep{name, value}
		key := interactiveListKey(name)
		steps = append(steps, read(key), journal.Step{Do: journal.Append, Key: key, Value: value})
	}
	op := w.operation(journal.List, steps, func(ctx context.Context, t *harness.Transaction) ([]journal.Step, error) {
		return w.run(ctx, t, plan)
	})
	op.Refused = breaks // two clients create a list
	return op
}

// run runs the steps of a transaction, and returns them with what was read.
func (w *interactiveLists) run(ctx context.Context, t *harness.Transaction, plan []listStep) (steps []journal.Step, err error) {
	for _, s := range plan {
		answer, err := w.within(ctx, t, "read", s.name)
		if err != nil {
			return nil, err
		}
		list, exists, err := listIn(answer)
		if err != nil {
			return nil, err
		}
		steps = append(steps, got(interactiveListKey(s.name), list))
		if s.value == 0 {
			continue
		}
		text := listText(append(slices.Clone(list), s.value))
		if exists {
			_, err = w.within(ctx, t, "write", text, s.name)
		} else {
			_, err = w.within(ctx, t, "create", s.name, text)
		}
		if err != nil {
			return nil, err
		}
		steps = append(steps, journal.Step{Do: journal.Append, Key: interactiveListKey(s.name), Value: s.value})
	}
	return steps, nil
}

func (w *interactiveLists) Final(ctx context.Context, c *harness.Cluster) error {
	names := w.names.count()
	return final(ctx, c, Operation{
		Op: journal.Op{Model: journal.List}, SQL: w.sql.get("all"),
		Read: func(r harness.Result) ([]journal.Step, error) {
			all := make(map[int64][]int64)
			for _, row := range r.Rows() {
				name, err := integer(r, row[0])
				if err != nil {
					return nil, err
				}
				if all[name], err = parseList(r, row[1]); err != nil {
					return nil, err
				}
			}
			return stepsOf(all, interactiveListKey, names), nil
		},
	})
}

// listIn returns the list in an answer, and whether there is one.
func listIn(r harness.Result) (list []int64, exists bool, err error) {
	rows := r.Rows()
	if len(rows) == 0 {
		return nil, false, nil
	}
	list, err = parseList(r, rows[0][0])
	return list, true, err
}

func listText(list []int64) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = strconv.FormatInt(v, 10)
	}
	return strings.Join(words, ",")
}

func parseList(r harness.Result, v any) (list []int64, err error) {
	text, is := v.(string)
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(word, 10, 64)
		if !is || err != nil {
			return nil, fmt.Errorf("node %d (%s) answered %v, which is no list of integers", r.Node, r.ID, v)
		}
		list = append(list, n)
	}
	return list, nil
}
