package fake

import (
	"context"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Target boots fake clusters. It is safe for concurrent use.
type Target struct {
	// Err is what Boot fails with, if with anything.
	Err error
	// Wrong makes Boot return that many nodes more than were asked for.
	Wrong int
	// Plain makes clusters that can be isolated and nothing else.
	Plain bool
	// Memory is how many requests the nodes say they remember; 100 if 0.
	Memory int
	// Prepare is called with a cluster before it is returned.
	Prepare func(*Cluster)

	mu     sync.Mutex
	sizes  []int
	booted []*Cluster
}

// Boot makes a cluster of nodes n0, n1 and so on, of which n0 leads.
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

// Sizes are the sizes of the clusters it was asked for.
func (t *Target) Sizes() []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]int(nil), t.sizes...)
}

// Last is the cluster booted last.
func (t *Target) Last() *Cluster {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.booted) == 0 {
		panic("fake: nothing was booted")
	}
	return t.booted[len(t.booted)-1]
}
