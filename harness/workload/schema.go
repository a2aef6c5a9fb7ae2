package workload

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
)

// schema lists what a namespace has, by number and in order.
type schema struct{ tables, columns, indexes []int64 }

// steps returns reads of it. Without tables there are no rows.
func (s schema) steps() []journal.Step {
	steps := []journal.Step{got(tablesKey, s.tables), got(columnsKey, s.columns), got(indexesKey, s.indexes)}
	if len(s.tables) == 0 {
		steps = append(steps, got(rowsKey, nil))
	}
	return steps
}

// addedColumn matches a column in the text of a table that was altered. (PRAGMA statements are not allowed.)
var addedColumn = regexp.MustCompile(`\bc([0-9]+) INTEGER\b`)

// readSchema reads an answer of types, names and definitions.
func readSchema(r harness.Result, ns string) (s schema, err error) {
	for _, row := range r.Rows() {
		if len(row) != 3 {
			return s, fmt.Errorf("node %d (%s) answered %d columns, not 3", r.Node, r.ID, len(row))
		}
		kind, name, text := fmt.Sprint(row[0]), strings.TrimPrefix(fmt.Sprint(row[1]), ns+"."), fmt.Sprint(row[2])
		number, err := strconv.ParseInt(name[min(1, len(name)):], 10, 64)
		if err != nil {
			return s, fmt.Errorf("node %d (%s) has an unexpected %s %q", r.Node, r.ID, kind, name)
		}
		switch kind {
		case "table":
			s.tables = append(s.tables, number)
			s.columns = append(s.columns, columnsIn(text)...)
		case "index":
			s.indexes = append(s.indexes, number)
		}
	}
	for _, numbers := range [][]int64{s.tables, s.columns, s.indexes} {
		slices.Sort(numbers)
	}
	return s, nil
}

func columnsIn(text string) (numbers []int64) {
	for _, found := range addedColumn.FindAllStringSubmatch(text, -1) {
		if number, err := strconv.ParseInt(found[1], 10, 64); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}
