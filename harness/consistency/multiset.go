package consistency

import (
	"context"
	"maps"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// multiset is a node's rows in the parts that differ.
type multiset struct {
	node   Node
	counts map[string]int // how often each row is there
	values map[string][]any
	size   int // bytes
	total  int // rows in the parts that differ, held or not
}

func newMultiset(node Node) *multiset {
	return &multiset{node: node, counts: make(map[string]int), values: make(map[string][]any)}
}

// findDifference asks the nodes again, to name a row that differs.
func (c Comparison) findDifference(ctx context.Context, d *differing) (err error) {
	answers, err := c.open(ctx)
	defer func() { err = closeAll(err, answers) }()
	if err != nil {
		return err
	}
	sets := make([]*multiset, len(answers))
	for i, a := range answers {
		sets[i] = newMultiset(a.node)
	}
	err = eachRow(answers, func(i int, row []byte) error {
		if d.mayDiffer(row) {
			return sets[i].add(row, answers[i].rows, d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := compareColumns(c.Query, answers, byName); err != nil {
		return err
	}
	others := slices.Sorted(maps.Keys(d.answers))
	for _, other := range others {
		if difference := compareMultisets(c.Query, answers[0].columns, sets[0], sets[other], d); difference != nil {
			return difference
		}
	}
	return newDifference(Gone, c.Query, c.Nodes[0], c.Nodes[others[0]])
}

// add adds a row if it is sampled and there is space for it.
func (m *multiset) add(row []byte, rows target.Rows, d *differing) error {
	m.total++
	if m.full() {
		return nil
	}
	key := string(row)
	if m.values[key] == nil {
		values, err := rows.Row()
		if err != nil {
			return m.node.Wrap(err)
		}
		if !d.sampled(values) {
			return nil
		}
		m.values[key] = values
		m.size += len(row) + rowOverhead
	}
	m.counts[key]++
	return nil
}

// full tells that rows are left out.
func (m *multiset) full() bool { return m.size > maxMultisetBytes }

// compareMultisets returns nil if the multisets are the same.
func compareMultisets(query string, columns []target.Column, a, b *multiset, d *differing) error {
	difference := newDifference(TooLarge, query, a.node, b.node)
	difference.A.Total, difference.B.Total = a.total, b.total
	difference.Sampling, difference.Header = d.sampling, names(columns)
	onlyA, countA := a.without(b)
	onlyB, countB := b.without(a)
	difference.A.Only, difference.B.Only = countA, countB
	switch {
	case a.full() || b.full() || countA+countB == 0 && d.sampling > 1:
		return difference
	case countA+countB == 0:
		return nil
	}
	if rowA, rowB := pair(a, b, onlyA, onlyB); rowA != nil {
		difference.A.Row, difference.B.Row = rowA, rowB
		difference.pointAtColumn(columns)
		return difference
	}
	difference.Kind = Missing
	row := slices.Concat(onlyA, onlyB)[0]
	difference.A.Count, difference.A.Row = a.counts[row], a.values[row]
	difference.B.Count, difference.B.Row = b.counts[row], b.values[row]
	return difference
}

// without returns the rows that other has less often, in order, and by how many.
func (m *multiset) without(other *multiset) (rows []string, count int) {
	for _, row := range slices.Sorted(maps.Keys(m.counts)) {
		if more := m.counts[row] - other.counts[row]; more > 0 {
			rows = append(rows, row)
			count += more
		}
	}
	return rows, count
}

// pair finds two rows that are versions of one: those with the same first column, which is
// nearly always the key, or the only row that differs on either side.
func pair(a, b *multiset, onlyA, onlyB []string) (rowA, rowB []any) {
	inBoth := func(row string) bool { return a.counts[row] > 0 && b.counts[row] > 0 }
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
			byKey[typed(values[0])] = values
		}
	}
	for _, row := range onlyA {
		if values := a.values[row]; len(values) > 1 && byKey[typed(values[0])] != nil {
			return values, byKey[typed(values[0])]
		}
	}
	return nil, nil
}
