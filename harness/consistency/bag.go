package consistency

import (
	"errors"
	"hash/maphash"
	"sync"
)

// buckets is into how many parts a bag's rows are sorted by their hash: only
// the parts that differ have to be looked at again.
const buckets = 1024

// bag is a multiset of rows, as sums of hashes that do not depend on order.
type bag [buckets]struct{ rows, bytes, sumA, sumB uint64 }

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
	b[i].bytes += uint64(len(row))
	b[i].sumA += sum
	b[i].sumB += maphash.Bytes(h.b, row)
}

// suspects are the parts in which some bags differ.
type suspects struct {
	hasher  hasher
	buckets [buckets]bool
	answers map[int]bool // those that differ from the first
	// oneIn thins them out if they are too large to be held: only one key in so
	// many is looked at, the same on every node.
	oneIn uint64
}

// compareAsBags reads all answers at once, each in constant memory.
func compareAsBags(query string, answers []*answer) (equal bool, _ *suspects, _ error) {
	found := &suspects{hasher: newHasher(), answers: make(map[int]bool)}
	bags := make([]bag, len(answers))
	err := each(answers, func(i int, row []byte) error {
		found.hasher.add(&bags[i], row)
		return nil
	})
	if err != nil {
		return false, found, err
	}
	for other := 1; other < len(bags); other++ {
		for i := range buckets {
			if bags[other][i] != bags[0][i] {
				found.buckets[i], found.answers[other] = true, true
			}
		}
	}
	if len(found.answers) > 0 {
		found.thinOut(bags)
		return false, found, nil
	}
	// Not by their types: that of a computed column is that of its first row,
	// whichever that is.
	return true, found, sameColumns(query, answers, byName)
}

const (
	// held bounds how many bytes of rows that may differ are held for a node.
	held = 8 << 20
	// rowOverhead is about what a small row takes beyond its own bytes.
	rowOverhead = 256
)

func (s *suspects) thinOut(bags []bag) {
	var most uint64
	for _, b := range bags {
		var bytes uint64
		for i, suspect := range s.buckets {
			if suspect {
				bytes += b[i].bytes + b[i].rows*rowOverhead
			}
		}
		most = max(most, bytes)
	}
	s.oneIn = 1 + most/(held/4)
}

func (s *suspects) bySumOf(row []byte) bool {
	bucket, _ := s.hasher.bucket(row)
	return s.buckets[bucket]
}

func (s *suspects) byKeyOf(row []any) bool {
	return s.oneIn == 1 || len(row) == 0 || maphash.String(s.hasher.a, literalType(row[0]))%s.oneIn == 0
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
			errs[i] = a.end()
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
