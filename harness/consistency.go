package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// VerifyDataConsistency compares what all online nodes answer, each from its own state:
// every value of every row, in order if the query has an ORDER BY of its own, and as a
// bag otherwise. Answers stream; none is held in memory.
//
// It first waits until every online node has applied what any online node knows to be
// committed at the call. A difference counts only if the nodes were at one log index
// when they answered; otherwise it waits and compares again, so that concurrent writes
// raise no false alarm. A target that reports no indexes is compared again until the
// nodes agree or the wait ends. Waits end with ctx, after Settling if ctx has no
// deadline, and after five seconds for a node that does not report its status.
// AsIs compares the nodes once, as they are.
//
// It returns nil if all online nodes answer alike, an *InconsistencyError if two differ,
// ErrNoNodesOnline if there is none, a *WaitError if a node does not catch up, has
// failed (ErrFailed) or cannot be asked (ErrUnreachable), an *UnsettledError if
// the data never stopped changing, and a *NodeError if a node does not answer, or
// answers with anything but the rows of one query.
func (c *Cluster) VerifyDataConsistency(ctx context.Context, query string, args ...any) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	end := c.journal.Begin(journal.Check, journal.Nobody, "compare %s", abridged(query))
	err = c.verify(ctx, query, args)
	end(err)
	return err
}

func (c *Cluster) verify(ctx context.Context, query string, args []any) error {
	if err := refuseChanges(query); err != nil {
		return err
	}
	if c.asIs {
		return c.compare(ctx, c.OnlineNodes(), query, args)
	}
	waiting, cancel := settling(ctx)
	defer cancel()
	begun, pause := time.Now(), newLooks()
	defer pause.stop()
	for comparisons := 1; ; comparisons++ {
		before, err := c.settle(waiting, c.OnlineNodes())
		if err == nil && len(before) == 0 {
			err = ErrNoNodesOnline
		}
		if err != nil {
			return err
		}
		nodes := nodesOf(before)
		err = c.compare(ctx, nodes, query, args)
		if err == nil || !mayPass(err) || alike(before, lookAt(waiting, nodes, longestLook)) {
			return err
		}
		select {
		case <-pause.again():
		case <-waiting.Done():
			if !c.indexed.Load() {
				return err
			}
			return &UnsettledError{Query: query, Comparisons: comparisons, Waited: time.Since(begun), Last: err, Err: context.Cause(waiting)}
		}
	}
}

// mayPass tells whether what a comparison found may be due to nodes that were at
// different log indexes: different rows, or a statement that only some could run.
func mayPass(err error) bool {
	var difference *InconsistencyError
	var said *target.Error
	return errors.As(err, &difference) || errors.As(err, &said) && said.Outcome == target.NotApplied && !said.Temporary
}

// compare asks the nodes at once and compares their answers.
func (c *Cluster) compare(ctx context.Context, nodes []*Node, query string, args []any) error {
	if len(nodes) == 0 {
		return ErrNoNodesOnline
	}
	return c.comparer.Compare(ctx, Comparison{
		Query: query, Nodes: localAsIs(nodes), Ordered: sqltext.Ordered(query),
		Ask: func(ctx context.Context, node *Node) (target.Rows, error) { return node.Query(ctx, query, args...) },
	})
}

func localAsIs(nodes []*Node) []*Node {
	views := make([]*Node, len(nodes))
	for i, node := range nodes {
		views[i] = node.Reading(target.Local).AsIs()
	}
	return views
}

// refuseChanges refuses what would change the data once for each node.
func refuseChanges(query string) error {
	statements, err := sqltext.Split(query)
	if err != nil {
		return nil // the nodes know better
	}
	for _, s := range statements {
		if s.Kind != sqltext.Other || s.ChangesRows() || s.ChangesSchema() {
			return fmt.Errorf("only the answers to a query can be compared, and this changes data: %s", abridged(s.Text))
		}
	}
	return nil
}

// answer is one node's answer to the query that is compared.
type answer struct {
	node    *Node
	rows    target.Rows
	columns []target.Column // known at its end
}

// begin goes to the first row.
func (a *answer) begin() error {
	switch more := a.rows.NextResult(); {
	case a.err() != nil:
		return a.err()
	case !more:
		return a.node.failed("compare", errNoResult)
	case a.rows.Changed():
		return a.node.failed("compare", errors.New("the statement went through the log, so the answer is not the node's own"))
	}
	return nil
}

// end tells whether the answer came to its end, and was one table.
func (a *answer) end() error {
	a.columns = a.rows.Columns()
	switch more := a.rows.NextResult(); {
	case a.err() != nil:
		return a.err()
	case more:
		return a.node.failed("compare", errors.New("the query has more than one result"))
	case len(a.columns) == 0:
		return a.node.failed("compare", errNoResult)
	}
	return nil
}

var errNoResult = errors.New("the query has no result")

func (a *answer) err() error {
	if err := a.rows.Err(); err != nil {
		return a.node.failed("compare", err)
	}
	return nil
}

// open asks all nodes at once.
func (c Comparison) open(ctx context.Context) ([]*answer, error) {
	answers := make([]*answer, len(c.Nodes))
	errs := make([]error, len(c.Nodes))
	var wg sync.WaitGroup
	for i, node := range c.Nodes {
		wg.Go(func() {
			rows, err := c.Ask(ctx, node)
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

// closing closes the answers, and joins what went wrong with why they are closed.
func closing(why error, answers []*answer) error {
	errs := []error{why}
	for _, a := range answers {
		if a != nil {
			errs = append(errs, a.rows.Close())
		}
	}
	return errors.Join(errs...)
}

// compareInOrder walks over all answers in step.
func compareInOrder(query string, answers []*answer) error {
	first := answers[0]
	for number := 1; ; number++ {
		more := first.rows.Next()
		for _, other := range answers[1:] {
			otherMore := other.rows.Next()
			if err := errors.Join(first.err(), other.err()); err != nil {
				return err
			}
			if more != otherMore || more && !slices.Equal(first.rows.Raw(), other.rows.Raw()) {
				return orderedDifference(query, number, first, other, more, otherMore)
			}
		}
		if !more {
			return inOrderToTheEnd(query, answers)
		}
	}
}

func inOrderToTheEnd(query string, answers []*answer) error {
	var errs []error
	for _, a := range answers {
		errs = append(errs, a.end())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return sameColumns(query, answers, byNameAndType)
}

func orderedDifference(query string, number int, a, b *answer, moreA, moreB bool) error {
	a.columns, b.columns = a.rows.Columns(), b.rows.Columns()
	if err := sameColumns(query, []*answer{a, b}, byName); err != nil {
		return err
	}
	difference := &InconsistencyError{Query: query, A: a.node.describe(), B: b.node.describe(), Row: number}
	if moreA != moreB {
		if !moreA {
			a, b = b, a
		}
		row, err := a.rows.Row()
		if err != nil {
			return a.node.failed("compare", err)
		}
		difference.Detail = fmt.Sprintf("%s has %s, %s has no more rows", a.node.describe(), literals(row), b.node.describe())
		return difference
	}
	rowA, errA := a.rows.Row()
	rowB, errB := b.rows.Row()
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	difference.point(a.columns, rowA, rowB)
	return difference
}

// point finds the first column in which two rows differ.
func (e *InconsistencyError) point(columns []target.Column, a, b []any) {
	for i := range min(len(a), len(b)) {
		if literalType(a[i]) == literalType(b[i]) {
			continue
		}
		e.Column = fmt.Sprint(i + 1)
		if i < len(columns) {
			e.Column = columns[i].Name
		}
		e.ValueA, e.ValueB = literal(a[i]), literal(b[i])
		e.Detail = fmt.Sprintf("the rows are %s and %s", literals(a), literals(b))
		if e.ValueA == e.ValueB { // beyond what is shown
			e.Detail += fmt.Sprintf("; the values differ from byte %d on", firstDifference(a[i], b[i]))
		}
		return
	}
	e.Detail = fmt.Sprintf("the rows are %s and %s", literals(a), literals(b))
}

// literalType tells values apart that literal, which cuts, may show alike.
func literalType(v any) string { return fmt.Sprintf("%T %v", v, v) }

func byName(c target.Column) string { return c.Name }

func byNameAndType(c target.Column) string { return strings.TrimSpace(c.Name + " " + c.Type) }

func sameColumns(query string, answers []*answer, by func(target.Column) string) error {
	first := answers[0]
	for _, other := range answers[1:] {
		a, b := described(first.columns, by), described(other.columns, by)
		if !slices.Equal(a, b) {
			return &InconsistencyError{Query: query, A: first.node.describe(), B: other.node.describe(),
				Detail: fmt.Sprintf("the columns are (%s) and (%s)", strings.Join(a, ", "), strings.Join(b, ", "))}
		}
	}
	return nil
}

func described(columns []target.Column, by func(target.Column) string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = by(c)
	}
	return out
}
