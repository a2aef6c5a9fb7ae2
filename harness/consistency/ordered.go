package consistency

import (
	"errors"
	"slices"
)

// compareInOrder reads all answers in step.
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
			return compareEnds(query, answers)
		}
	}
}

// compareEnds compares what is known only once all rows were read.
func compareEnds(query string, answers []*answer) error {
	var errs []error
	for _, a := range answers {
		errs = append(errs, a.end())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return compareColumns(query, answers, byNameAndType)
}

// orderedDifference says how the current rows of two answers differ. An answer without more
// rows has none.
func orderedDifference(query string, number int, a, b *answer, moreA, moreB bool) (err error) {
	a.columns, b.columns = a.rows.Columns(), b.rows.Columns()
	if err := compareColumns(query, []*answer{a, b}, byName); err != nil {
		return err
	}
	difference := newDifference(Missing, query, a.node, b.node)
	difference.Row, difference.Header = number, names(a.columns)
	if moreA {
		if difference.A.Row, err = a.row(); err != nil {
			return err
		}
	}
	if moreB {
		if difference.B.Row, err = b.row(); err != nil {
			return err
		}
	}
	if moreA && moreB {
		difference.pointAtColumn(a.columns)
	}
	return difference
}
