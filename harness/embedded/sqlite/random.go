package sqlite

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// random answers SQL's random() and randomblob() from a seed.
type random struct{ source *rand.PCG }

func newRandom() *random { return &random{source: rand.NewPCG(0, 0)} }

func (r *random) seed(a, b uint64) { r.source.Seed(a, b) }

func (r *random) int64() int64 { return int64(r.source.Uint64()) }

func (r *random) blob(n int64) ([]byte, error) {
	if n > maxLength {
		return nil, fmt.Errorf("string or blob too big: randomblob(%d)", n)
	}
	b := make([]byte, max(n, 1))
	whole := len(b) &^ 7
	for i := 0; i < whole; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.source.Uint64())
	}
	if whole < len(b) {
		v := r.source.Uint64()
		for i := whole; i < len(b); i++ {
			b[i] = byte(v)
			v >>= 8
		}
	}
	return b, nil
}
