package sqlite

import (
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
	for i := 0; i < len(b); i += 8 {
		v := r.source.Uint64()
		for j := i; j < min(i+8, len(b)); j++ {
			b[j] = byte(v)
			v >>= 8
		}
	}
	return b, nil
}
