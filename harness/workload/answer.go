package workload

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// table is the answer to a statement of a request, by its place.
func table(r harness.Result, i int) (harness.Table, error) {
	if i >= len(r.Tables) {
		return harness.Table{}, fmt.Errorf("node %d (%s) answered %d statements, and was asked more", r.Node, r.ID, len(r.Tables))
	}
	return r.Tables[i], nil
}

// column is the answer to a statement of one column of integers; empty, and never
// nil, if it has no rows.
func column(r harness.Result, i int) ([]int64, error) {
	t, err := table(r, i)
	if err != nil {
		return nil, err
	}
	got := make([]int64, 0, len(t.Rows))
	for _, row := range t.Rows {
		if len(row) != 1 {
			return nil, fmt.Errorf("node %d (%s) answered %d columns, and not 1", r.Node, r.ID, len(row))
		}
		v, err := integer(r, row[0])
		if err != nil {
			return nil, err
		}
		got = append(got, v)
	}
	return got, nil
}

// columns is the answer to a statement of two columns of integers, a name and a
// value: the values by their names, in the order of the rows.
func columns(r harness.Result, i int) (map[int64][]int64, error) {
	t, err := table(r, i)
	if err != nil {
		return nil, err
	}
	got := make(map[int64][]int64)
	for _, row := range t.Rows {
		if len(row) != 2 {
			return nil, fmt.Errorf("node %d (%s) answered %d columns, and not 2", r.Node, r.ID, len(row))
		}
		name, err := integer(r, row[0])
		if err != nil {
			return nil, err
		}
		v, err := integer(r, row[1])
		if err != nil {
			return nil, err
		}
		got[name] = append(got[name], v)
	}
	return got, nil
}

func integer(r harness.Result, v any) (int64, error) {
	n, is := v.(int64)
	if !is {
		return 0, fmt.Errorf("node %d (%s) answered %v, a %T, and not an integer", r.Node, r.ID, v, v)
	}
	return n, nil
}

// readInto has the steps that read get what the statements of their places answered.
func readInto(steps []journal.Step) func(harness.Result) ([]journal.Step, error) {
	return func(r harness.Result) ([]journal.Step, error) {
		read := make([]journal.Step, len(steps))
		for i, s := range steps {
			if s.Reads() {
				var err error
				if s.Got, err = column(r, i); err != nil {
					return nil, err
				}
			}
			read[i] = s
		}
		return read, nil
	}
}

// readAll has each step get what stands under its key in an answer of names and
// values; what stands there under no key of the steps, it adds to them. It is for
// steps that all read.
func readAll(key func(int64) string, names int64) func(harness.Result) ([]journal.Step, error) {
	return func(r harness.Result) ([]journal.Step, error) {
		all, err := columns(r, 0)
		if err != nil {
			return nil, err
		}
		return stepsOf(all, key, names), nil
	}
}

// stepsOf are reads of the keys below names, and of all others that hold something.
func stepsOf(all map[int64][]int64, key func(int64) string, names int64) []journal.Step {
	steps := make([]journal.Step, 0, names)
	for name := range names {
		steps = append(steps, got(key(name), all[name]))
		delete(all, name)
	}
	for _, name := range sorted(all) {
		steps = append(steps, got(key(name), all[name]))
	}
	return steps
}
