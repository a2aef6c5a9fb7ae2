package consistency

import (
	"slices"
	"strings"

	"github.com/rejoin-db/rejoin/harness/target"
)

func byName(c target.Column) string { return c.Name }

func byNameAndType(c target.Column) string { return strings.TrimSpace(c.Name + " " + c.Type) }

// compareColumns returns an *InconsistencyError if the columns of two answers differ.
func compareColumns(query string, answers []*answer, by func(target.Column) string) error {
	first := answers[0]
	for _, other := range answers[1:] {
		a, b := namesOf(first.columns, by), namesOf(other.columns, by)
		if slices.Equal(a, b) {
			continue
		}
		difference := newDifference(Columns, query, first.node, other.node)
		difference.A.Columns, difference.B.Columns = a, b
		return difference
	}
	return nil
}

func namesOf(columns []target.Column, by func(target.Column) string) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = by(c)
	}
	return names
}
