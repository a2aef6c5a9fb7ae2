package promises

import (
	"fmt"
	"sync"
)

// terms has the leader of each term, as far as any status ever told. A node forgets after a
// restart which terms it led.
type terms struct {
	mu      sync.Mutex
	leaders map[uint64]Node
	broken  error // the first two that led in one term
}

func newTerms() terms { return terms{leaders: make(map[uint64]Node)} }

// note returns an error when it finds, for the first time, that two nodes led in
// one term.
func (t *terms) note(node Node, led []uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, term := range led {
		other := t.leaders[term]
		if other == nil {
			t.leaders[term] = node
			continue
		}
		if other.Index() == node.Index() || t.broken != nil {
			continue
		}
		if other.Index() > node.Index() {
			other, node = node, other
		}
		t.broken = fmt.Errorf("%w: %s and %s both led in term %d", ErrBroken, other, node, term)
		return t.broken
	}
	return nil
}

func (t *terms) verify() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.broken
}
