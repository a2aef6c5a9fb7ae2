package harness

import (
	"fmt"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// acknowledged are the latest requests that changed data and were answered by a
// success. None of them may ever be missing.
type acknowledged struct {
	mu     sync.Mutex
	seed   uint64
	named  int
	memory int      // how many are kept
	ids    []string // a ring once it is full
	next   int
}

func (a *acknowledged) init(seed uint64, c target.Cluster) {
	a.seed = seed
	if deduplicator, ok := target.As[target.Deduplicator](c); ok {
		// Nodes remember by log index, and not every entry is a request.
		a.memory = deduplicator.Memory() / 2
	}
}

// name gives a request a name of its own.
func (a *acknowledged) name() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.named++
	return fmt.Sprintf("harness-%x-%d", a.seed, a.named)
}

func (a *acknowledged) note(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case len(a.ids) < a.memory:
		a.ids = append(a.ids, id)
	case a.memory > 0:
		a.ids[a.next] = id
		a.next = (a.next + 1) % a.memory
	}
}

func (a *acknowledged) missing(from map[string]bool) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var missing []string
	for _, id := range a.ids {
		if !from[id] {
			missing = append(missing, id)
		}
	}
	return missing
}
