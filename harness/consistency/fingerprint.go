package consistency

import (
	"hash/maphash"
)

// buckets is how many parts rows are sorted into by their hash: only the parts that differ
// have to be read again.
const buckets = 1024

// fingerprint is a multiset hash of rows: sums of hashes, which do not depend on order.
type fingerprint [buckets]struct{ rows, bytes, sumA, sumB uint64 }

// hasher gives a row two independent hashes, so that two multisets that differ have one
// chance in 2^118 or so to have one fingerprint.
type hasher struct{ a, b maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func (h hasher) bucket(row []byte) (int, uint64) {
	sum := maphash.Bytes(h.a, row)
	return int(sum % buckets), sum
}

func (h hasher) add(f *fingerprint, row []byte) {
	i, sum := h.bucket(row)
	f[i].rows++
	f[i].bytes += uint64(len(row))
	f[i].sumA += sum
	f[i].sumB += maphash.Bytes(h.b, row)
}

const (
	// maxMultisetBytes bounds the rows that are held of a node.
	maxMultisetBytes = 8 << 20
	// rowOverhead is about what a small row takes beyond its own bytes.
	rowOverhead = 256
)

// differing are the parts in which some fingerprints differ.
type differing struct {
	hasher  hasher
	buckets [buckets]bool
	answers map[int]bool // those that differ from the first
	// sampling is above 1 if the parts are too large to be held: only one key in so many is
	// read, the same on every node.
	sampling uint64
}

// compareFingerprints reads all answers at once, each in constant memory. It returns nil if
// none differs.
func compareFingerprints(query string, answers []*answer) (*differing, error) {
	d := &differing{hasher: newHasher(), answers: make(map[int]bool)}
	prints := make([]fingerprint, len(answers))
	err := eachRow(answers, func(i int, row []byte) error {
		d.hasher.add(&prints[i], row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for other := 1; other < len(prints); other++ {
		for i := range buckets {
			if prints[other][i] != prints[0][i] {
				d.buckets[i], d.answers[other] = true, true
			}
		}
	}
	if len(d.answers) > 0 {
		d.sample(prints)
		return d, nil
	}
	// The types of columns are not compared: that of a computed column is the type of the
	// first row, which may be any.
	return nil, compareColumns(query, answers, byName)
}

// sample sets how many keys are read, so that no node's rows exceed maxMultisetBytes.
func (d *differing) sample(prints []fingerprint) {
	var most uint64
	for _, f := range prints {
		var bytes uint64
		for i, differs := range d.buckets {
			if differs {
				bytes += f[i].bytes + f[i].rows*rowOverhead
			}
		}
		most = max(most, bytes)
	}
	d.sampling = 1 + most/(maxMultisetBytes/4)
}

// mayDiffer tells whether the row is in a part that differs.
func (d *differing) mayDiffer(row []byte) bool {
	bucket, _ := d.hasher.bucket(row)
	return d.buckets[bucket]
}

// sampled tells whether the row's key is among those that are read.
func (d *differing) sampled(row []any) bool {
	return d.sampling == 1 || len(row) == 0 || maphash.String(d.hasher.a, typed(row[0]))%d.sampling == 0
}
