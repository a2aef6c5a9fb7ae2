package harness

import (
	"fmt"
	"sync/atomic"
)

// requestNames gives each request a name of its own.
type requestNames struct {
	seed uint64
	last atomic.Uint64
}

func (r *requestNames) next() string { return fmt.Sprintf("harness-%x-%d", r.seed, r.last.Add(1)) }
