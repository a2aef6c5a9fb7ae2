package promises

import (
	"sync"
)

// acknowledged are the latest requests that changed data and were answered by a
// success. None of them may ever be missing.
type acknowledged struct {
	mu     sync.Mutex
	memory int      // how many are kept
	ids    []string // a ring once it is full
	next   int
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
