package fake

import (
	"context"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Target boots fake clusters. It is safe for concurrent use.
type Target struct {
	// Err is the error of Boot, if not nil.
	Err error
	// Wrong makes Boot return that many nodes more than requested.
	Wrong int
	// Plain makes clusters without optional abilities.
	Plain bool
	// Memory is how many requests the nodes claim to remember; default 100.
	Memory int
	// Prepare is called with a cluster before it is returned.
	Prepare func(*Cluster)

	mu     sync.Mutex
	sizes  []int
	booted []*Cluster
}

// Boot makes a cluster of nodes n0, n1 and so on. n0 is the leader.
func (t *Target) Boot(_ context.Context, size int) (target.Cluster, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sizes = append(t.sizes, size)
	if t.Err != nil {
		return nil, t.Err
	}
	c := newCluster(size+t.Wrong, t.Memory)
	if t.Prepare != nil {
		t.Prepare(c)
	}
	t.booted = append(t.booted, c)
	if t.Plain {
		return c, nil
	}
	return capable{c}, nil
}

// Sizes returns the sizes of all requested clusters.
func (t *Target) Sizes() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]int(nil), t.sizes...)
}

// Last returns the cluster that was booted last. It panics if there is none.
func (t *Target) Last() *Cluster {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.booted) == 0 {
		panic("fake: nothing was booted")
	}
	return t.booted[len(t.booted)-1]
}
