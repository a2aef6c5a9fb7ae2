package consistency

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// sample is a node's rows in the parts that differ.
type sample struct {
	node   Node
	rows   map[string]int // how often each is there
	values map[string][]any
	size   int // bytes
	total  int // rows that might have been held
}

// findDifference asks the nodes again, to name a row that differs.
func (c Comparison) findDifference(ctx context.Context, where *suspects) (err error) {
	answers, err := c.open(ctx)
	defer func() { err = closing(err, answers) }()
	if err != nil {
		return err
	}
	samples := make([]*sample, len(answers))
	for i, a := range answers {
		samples[i] = &sample{node: a.node, rows: make(map[string]int), values: make(map[string][]any)}
	}
	err = each(answers, func(i int, row []byte) error {
		if where.bySumOf(row) {
			return samples[i].add(row, answers[i].rows, where)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := sameColumns(c.Query, answers, byName); err != nil {
		return err
	}
	for _, other := range slices.Sorted(maps.Keys(where.answers)) {
		if difference := bagDifference(c.Query, answers[0].columns, samples[0], samples[other], where); difference != nil {
			return difference
		}
	}
	return &InconsistencyError{Query: c.Query, A: c.Nodes[0].String(), B: "the others",
		Detail: "they differed at a first look and no longer at a second: the data is being changed"}
}

func (s *sample) add(row []byte, rows target.Rows, where *suspects) error {
	s.total++
	if s.overflown() {
		return nil
	}
	key := string(row)
	if s.values[key] == nil {
		values, err := rows.Row()
		if err != nil {
			return s.node.Wrap(err)
		}
		if !where.byKeyOf(values) {
			return nil
		}
		s.values[key] = values
		s.size += len(row) + rowOverhead
	}
	s.rows[key]++
	return nil
}

// overflown tells that rows are missing from the sample.
func (s *sample) overflown() bool { return s.size > held }

// bagDifference returns nil if the samples are the same.
func bagDifference(query string, columns []target.Column, a, b *sample, where *suspects) error {
	difference := &InconsistencyError{Query: query, A: a.node.String(), B: b.node.String()}
	onlyA, countA := a.without(b)
	onlyB, countB := b.without(a)
	switch {
	case a.overflown() || b.overflown() || countA+countB == 0 && where.oneIn > 1:
		difference.Detail = fmt.Sprintf("of %d and of %d rows some differ, too many or too large to be compared one by one", a.total, b.total)
		return difference
	case countA+countB == 0:
		return nil
	}
	rest := fmt.Sprintf("; rows only on %s: %d, only on %s: %d", difference.A, countA, difference.B, countB)
	if where.oneIn > 1 {
		rest += fmt.Sprintf(", in the 1/%d of the data that was looked at", where.oneIn)
	}
	switch rowA, rowB := pair(a, b, onlyA, onlyB); {
	case rowA != nil:
		difference.point(columns, rowA, rowB)
	case len(onlyA) > 0:
		difference.Detail = a.more(onlyA[0], b)
	default:
		difference.Detail = b.more(onlyB[0], a)
	}
	difference.Detail += rest
	return difference
}

// without is the rows that other has not as often, in order, and how many.
func (s *sample) without(other *sample) (rows []string, count int) {
	for _, row := range slices.Sorted(maps.Keys(s.rows)) {
		if more := s.rows[row] - other.rows[row]; more > 0 {
			rows = append(rows, row)
			count += more
		}
	}
	return rows, count
}

// more says that s has the row more often than other.
func (s *sample) more(row string, other *sample) string {
	if other.rows[row] == 0 {
		return fmt.Sprintf("%s is missing from %s", literals(s.values[row]), other.node.String())
	}
	return fmt.Sprintf("%s is there %d times on %s and %d times on %s",
		literals(s.values[row]), s.rows[row], s.node.String(), other.rows[row], other.node.String())
}

// pair finds two rows of which one stands where the other should. The first
// column is taken for the key, which it nearly always is.
func pair(a, b *sample, onlyA, onlyB []string) (rowA, rowB []any) {
	inBoth := func(row string) bool { return a.rows[row] > 0 && b.rows[row] > 0 }
	onlyA, onlyB = slices.DeleteFunc(slices.Clone(onlyA), inBoth), slices.DeleteFunc(slices.Clone(onlyB), inBoth)
	if len(onlyA) == 1 && len(onlyB) == 1 {
		rowA, rowB = a.values[onlyA[0]], b.values[onlyB[0]]
		if len(rowA) == 1 && len(rowB) == 1 {
			return rowA, rowB
		}
	}
	byKey := make(map[string][]any)
	for _, row := range onlyB {
		if values := b.values[row]; len(values) > 1 {
			byKey[literalType(values[0])] = values
		}
	}
	for _, row := range onlyA {
		if values := a.values[row]; len(values) > 1 && byKey[literalType(values[0])] != nil {
			return values, byKey[literalType(values[0])]
		}
	}
	return nil, nil
}
