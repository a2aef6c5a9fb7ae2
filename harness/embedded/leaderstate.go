package embedded

import (
	"context"
	"slices"
	"sync"
)

// State is the state of a node, as it reports it.
type State string

const (
	// Connecting: it knows no leader.
	Connecting State = "connecting"
	// Syncing: it knows the leader, but has not applied what the leader had committed when they met.
	Syncing State = "syncing"
	// Online: it has applied everything that its leader had committed when they met.
	Online State = "online"
	// Leaving: it is stopping.
	Leaving State = "leaving"
	// Failed: its storage has failed. It must be replaced, or restarted with more disk space; the
	// reason says which.
	Failed State = "failed"
)

// leaderState is what the node knows about its leader, and whether it has caught up with it. It is
// safe for concurrent use.
type leaderState struct {
	mu      sync.Mutex
	leader  leader
	synced  bool   // with this leader, in this term
	aim     uint64 // commit index of the leader when they met; 0 if not known yet
	leaving bool
	led     []uint64      // the terms that this node led
	changed chan struct{} // closed and replaced at every change
}

// leader is the leader as far as this node knows. The zero value means no leader.
type leader struct {
	id, address string
	term        uint64
	self        bool
}

func (s *leaderState) init() { s.changed = make(chan struct{}) }

// meet sets the leader and returns whether it has changed.
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

// aimAt records the commit index of leader l when they met.
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

// sync records that the node has caught up with leader l.
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

// look returns the leader, whether the node has caught up with it, and a channel that is closed at
// the next change of either.
func (s *leaderState) look() (l leader, synced bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leader, s.synced, s.changed
}

// ledTerms returns the terms that this node has led since it started.
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

// enter counts a request, unless the node is leaving.
func (s *leaderState) enter(requests *sync.WaitGroup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	requests.Add(1)
	return true
}

// await blocks until suits returns true for the leader, or ctx ends.
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
