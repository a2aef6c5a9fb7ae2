package consistency

import (
	"context"
	"errors"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// answer is one node's answer to the query.
type answer struct {
	node    Node
	rows    target.Rows
	columns []target.Column // known at its end
}

var errNoResult = errors.New("the query has no result")

// open asks all nodes at once.
func (c Comparison) open(ctx context.Context) ([]*answer, error) {
	answers := make([]*answer, len(c.Nodes))
	errs := make([]error, len(c.Nodes))
	var wg sync.WaitGroup
	for i, node := range c.Nodes {
		wg.Go(func() {
			rows, err := node.Query(ctx)
			if err != nil {
				errs[i] = err
				return
			}
			answers[i] = &answer{node: node, rows: rows}
			errs[i] = answers[i].begin()
		})
	}
	wg.Wait()
	return answers, errors.Join(errs...)
}

// closeAll closes the answers, and joins the errors of that with why they are closed.
func closeAll(why error, answers []*answer) error {
	var errs []error
	for _, a := range answers {
		if a != nil {
			errs = append(errs, a.rows.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(why, err)
	}
	return why
}

// begin goes to the first row.
func (a *answer) begin() error {
	switch more := a.rows.NextResult(); {
	case a.err() != nil:
		return a.err()
	case !more:
		return a.node.Wrap(errNoResult)
	case a.rows.Changed():
		return a.node.Wrap(errors.New("the statement went through the log, so the answer is not the node's own"))
	}
	return nil
}

// end returns an error if the answer is incomplete, or has not exactly one table.
func (a *answer) end() error {
	a.columns = a.rows.Columns()
	switch more := a.rows.NextResult(); {
	case a.err() != nil:
		return a.err()
	case more:
		return a.node.Wrap(errors.New("the query has more than one result"))
	case len(a.columns) == 0:
		return a.node.Wrap(errNoResult)
	}
	return nil
}

func (a *answer) err() error {
	if err := a.rows.Err(); err != nil {
		return a.node.Wrap(err)
	}
	return nil
}

// row returns the values of the current row.
func (a *answer) row() ([]any, error) {
	row, err := a.rows.Row()
	if err != nil {
		return nil, a.node.Wrap(err)
	}
	return row, nil
}

// eachRow hands every row of every answer to use, one goroutine an answer.
func eachRow(answers []*answer, use func(i int, row []byte) error) error {
	errs := make([]error, len(answers))
	var wg sync.WaitGroup
	for i, a := range answers {
		wg.Go(func() {
			for a.rows.Next() {
				if errs[i] = use(i, a.rows.Raw()); errs[i] != nil {
					return
				}
			}
			errs[i] = a.end()
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
