package embedded

import (
	"context"
	"slices"
	"sync"
)

// State is a node's health as it shows itself.
type State string

const (
	// Connecting: it knows of no leader.
	Connecting State = "connecting"
	// Syncing: it knows the leader and is not yet where the leader was when they met.
	Syncing State = "syncing"
	// Online: since it met its leader it has applied all that was committed then.
	Online State = "online"
	// Leaving: it has been asked to stop.
	Leaving State = "leaving"
	// Failed: its own storage has failed. It must be replaced, or given room on its disk
	// and started again; the reason says which.
	Failed State = "failed"
)

// leaderState is what the node knows of its leader, and how far it is behind. It is safe for
// concurrent use.
type leaderState struct {
	mu      sync.Mutex
	leader  leader
	synced  bool   // with this leader, in this term
	aim     uint64 // what the leader had committed when they met; 0 while that is not known
	leaving bool
	led     []uint64      // the terms this node led
	changed chan struct{} // closed and replaced at every change
}

// leader is the node that leads, as far as this node knows. The zero leader is none.
type leader struct {
	id, address string
	term        uint64
	self        bool
}

func (s *leaderState) init() { s.changed = make(chan struct{}) }

// meet notes the leader and tells whether it has changed.
func (s *leaderState) meet(l leader) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == l {
		return false
	}
	s.leader, s.synced, s.aim = l, false, 0
	if l.self && (len(s.led) == 0 || s.led[len(s.led)-1] != l.term) {
		s.led = append(s.led, l.term)
	}
	s.announceLocked()
	return true
}

// aimAt notes how far the leader l was when they met.
func (s *leaderState) aimAt(l leader, index uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == l {
		s.aim = index
	}
}

func (s *leaderState) mark() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.aim
}

// sync notes that the node has caught up with the leader l.
func (s *leaderState) sync(l leader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leader == l && !s.synced {
		s.synced = true
		s.announceLocked()
	}
}

func (s *leaderState) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.leaving {
		s.leaving = true
		s.announceLocked()
	}
}

func (s *leaderState) announceLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// look returns the leader, whether the node has caught up with it, and what is closed at the next
// change of either.
func (s *leaderState) look() (l leader, synced bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leader, s.synced, s.changed
}

// ledTerms are the terms this node has led since it started.
func (s *leaderState) ledTerms() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.led)
}

func (s *leaderState) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaving
}

// enter counts a request in, unless the node is leaving.
func (s *leaderState) enter(requests *sync.WaitGroup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	requests.Add(1)
	return true
}

// await blocks until the leader suits, or ctx ends.
func (s *leaderState) await(ctx context.Context, suits func(l leader, synced bool) bool) (leader, error) {
	for {
		l, synced, changed := s.look()
		if suits(l, synced) {
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return l, context.Cause(ctx)
		}
	}
}
