package workload

import (
	"fmt"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// table returns the answer to one statement of a request.
func table(r harness.Result, i int) (harness.Table, error) {
	if i >= len(r.Tables) {
		return harness.Table{}, fmt.Errorf("node %d (%s) answered only %d statements", r.Node, r.ID, len(r.Tables))
	}
	return r.Tables[i], nil
}

// column returns the answer to a statement of one column of integers; empty, and never nil, if it has no
// rows.
func column(r harness.Result, i int) ([]int64, error) {
	t, err := table(r, i)
	if err != nil {
		return nil, err
	}
	got := make([]int64, 0, len(t.Rows))
	for _, row := range t.Rows {
		if len(row) != 1 {
			return nil, fmt.Errorf("node %d (%s) answered %d columns, not 1", r.Node, r.ID, len(row))
		}
		v, err := integer(r, row[0])
		if err != nil {
			return nil, err
		}
		got = append(got, v)
	}
	return got, nil
}

// columns returns the answer to a statement of two columns of integers, a name and a value: the values by
// name, in the order of the rows.
func columns(r harness.Result, i int) (map[int64][]int64, error) {
	t, err := table(r, i)
	if err != nil {
		return nil, err
	}
	got := make(map[int64][]int64)
	for _, row := range t.Rows {
		if len(row) != 2 {
			return nil, fmt.Errorf("node %d (%s) answered %d columns, not 2", r.Node, r.ID, len(row))
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
		return 0, fmt.Errorf("node %d (%s) answered %v, which is a %T and not an integer", r.Node, r.ID, v, v)
	}
	return n, nil
}

// readInto returns the steps with what the statement of the same position answered, for those that read.
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

// readAll returns a read of each name below names, from an answer of names and values, and of every other name
// in the answer.
func readAll(key func(int64) string, names int64) func(harness.Result) ([]journal.Step, error) {
	return func(r harness.Result) ([]journal.Step, error) {
		all, err := columns(r, 0)
		if err != nil {
			return nil, err
		}
		return stepsOf(all, key, names), nil
	}
}

// stepsOf returns reads of the names below names, and of all others that hold a value.
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
