package consistency

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

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
	difference := &InconsistencyError{Query: query, A: a.node.String(), B: b.node.String(), Row: number}
	if moreA != moreB {
		if !moreA {
			a, b = b, a
		}
		row, err := a.rows.Row()
		if err != nil {
			return a.node.Wrap(err)
		}
		difference.Detail = fmt.Sprintf("%s has %s, %s has no more rows", a.node.String(), literals(row), b.node.String())
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
		e.ValueA, e.ValueB = sqltext.Literal(a[i]), sqltext.Literal(b[i])
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
			return &InconsistencyError{Query: query, A: first.node.String(), B: other.node.String(),
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
