package harness

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// buckets is into how many parts a bag's rows are sorted by their hash: only
// the parts that differ have to be looked at again.
const buckets = 1024

// bag is a multiset of rows, as sums of hashes that do not depend on order.
type bag [buckets]struct{ rows, sumA, sumB uint64 }

// hasher gives a row two independent hashes, so that two bags that differ have
// one chance in 2^118 or so to look alike.
type hasher struct{ a, b maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func (h hasher) bucket(row []byte) (int, uint64) {
	sum := maphash.Bytes(h.a, row)
	return int(sum % buckets), sum
}

func (h hasher) add(b *bag, row []byte) {
	i, sum := h.bucket(row)
	b[i].rows++
	b[i].sumA += sum
	b[i].sumB += maphash.Bytes(h.b, row)
}

// suspects are the parts in which some bags differ.
type suspects struct {
	hasher  hasher
	buckets map[int]bool
}

// compareAsBags reads all answers at once, each in constant memory.
func compareAsBags(answers []*answer) (equal bool, _ suspects, _ error) {
	found := suspects{hasher: newHasher(), buckets: make(map[int]bool)}
	bags := make([]bag, len(answers))
	err := each(answers, func(i int, row []byte) error {
		found.hasher.add(&bags[i], row)
		return nil
	})
	if err != nil {
		return false, found, err
	}
	for _, other := range bags[1:] {
		for i := range other {
			if other[i] != bags[0][i] {
				found.buckets[i] = true
			}
		}
	}
	if len(found.buckets) > 0 {
		return false, found, nil
	}
	return true, found, sameColumns("", answers)
}

// each hands every row of every answer to use, one goroutine an answer.
func each(answers []*answer, use func(i int, row []byte) error) error {
	errs := make([]error, len(answers))
	var wg sync.WaitGroup
	for i, a := range answers {
		wg.Go(func() {
			for a.rows.Next() {
				if errs[i] = use(i, a.rows.Raw()); errs[i] != nil {
					return
				}
			}
			errs[i] = a.err()
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// held bounds how many bytes of rows that may differ are held for a node.
const held = 8 << 20

// sample is a node's rows in the parts that differ.
type sample struct {
	node    *Node
	columns []target.Column
	rows    map[string]int
	values  map[string][]any
	size    int
}

// findDifference asks the nodes again, to name a row that differs.
func (c *Cluster) findDifference(ctx context.Context, nodes []*Node, query string, args []any, where suspects) (err error) {
	answers, err := open(ctx, nodes, query, args)
	defer func() { err = errors.Join(err, closeAll(answers)) }()
	if err != nil {
		return err
	}
	samples := make([]*sample, len(answers))
	for i, a := range answers {
		samples[i] = &sample{node: a.node, rows: make(map[string]int), values: make(map[string][]any)}
	}
	err = each(answers, func(i int, row []byte) error {
		if bucket, _ := where.hasher.bucket(row); where.buckets[bucket] {
			return samples[i].add(row, answers[i].rows)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, other := range samples[1:] {
		samples[0].columns, other.columns = answers[0].rows.Columns(), answers[i+1].rows.Columns()
		if difference := bagDifference(query, samples[0], other); difference != nil {
			return difference
		}
	}
	return &InconsistencyError{Query: query, A: nodes[0].describe(), B: "the others",
		Detail: "they differed at a first look and no longer at a second: the data is being changed"}
}

func (s *sample) add(row []byte, rows target.Rows) error {
	if s.size += len(row); s.size > held {
		return nil
	}
	key := string(row)
	s.rows[key]++
	if s.values[key] == nil {
		values, err := rows.Row()
		if err != nil {
			return s.node.failed("compare", err)
		}
		s.values[key] = values
	}
	return nil
}

// bagDifference returns nil if the samples are the same.
func bagDifference(query string, a, b *sample) error {
	onlyA, onlyB := a.without(b), b.without(a)
	if len(onlyA)+len(onlyB) == 0 {
		return nil
	}
	difference := &InconsistencyError{Query: query, A: a.node.describe(), B: b.node.describe()}
	total := fmt.Sprintf("%s has %d rows that %s has not, and lacks %d", difference.A, len(onlyA), difference.B, len(onlyB))
	for _, rowA := range onlyA {
		for _, rowB := range onlyB {
			if sameKey(a.values[rowA], b.values[rowB]) {
				difference.point(a.columns, a.values[rowA], b.values[rowB])
				difference.Detail += "; " + total
				return difference
			}
		}
	}
	if len(onlyA) > 0 {
		difference.Detail = fmt.Sprintf("%s is missing from %s; %s", literals(a.values[onlyA[0]]), difference.B, total)
	} else {
		difference.Detail = fmt.Sprintf("%s is missing from %s; %s", literals(b.values[onlyB[0]]), difference.A, total)
	}
	return difference
}

// without is the rows that other has not as often, in order.
func (s *sample) without(other *sample) []string {
	var rows []string
	for _, row := range slices.Sorted(maps.Keys(s.rows)) {
		if s.rows[row] > other.rows[row] {
			rows = append(rows, row)
		}
	}
	const most = 1000 // enough to find a pair
	return rows[:min(len(rows), most)]
}

// sameKey takes the first column for the key, which it nearly always is.
func sameKey(a, b []any) bool {
	return len(a) > 1 && len(a) == len(b) && literalType(a[0]) == literalType(b[0])
}
