package embedded

import (
	"bytes"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// RoleChange is the role of a node from At on.
type RoleChange struct {
	At     time.Time
	Role   string // leader, follower or candidate, as in Health
	Term   uint64
	Leader string // ID of the leader as the node knows it; empty if none
}

// roles reports each change of the node's role, term or leader to Config.Roles, in order and from
// the goroutine in which Raft makes the change.
type roles struct {
	report func(RoleChange)
	id     string

	mu   sync.Mutex
	last RoleChange // without At; Role is empty until begin
}

// currentTermKey is the key of the term in Raft's stable store.
var currentTermKey = []byte("CurrentTerm")

// begin reports the role when Raft has started.
func (r *roles) begin(with *raft.Raft) {
	if r.report == nil {
		return
	}
	_, leader := with.LeaderWithID()
	r.change(func(c *RoleChange) {
		*c = RoleChange{Role: roleName(with.State()), Term: with.CurrentTerm(), Leader: string(leader)}
	})
}

// observe reports a change that Raft notifies its observers of.
func (r *roles) observe(o *raft.Observation) {
	if r.report == nil {
		return
	}
	switch data := o.Data.(type) {
	case raft.RaftState:
		r.change(func(c *RoleChange) {
			c.Role, c.Term = roleName(data), o.Raft.CurrentTerm()
			if data == raft.Leader {
				c.Leader = r.id
			}
		})
	case raft.LeaderObservation:
		r.change(func(c *RoleChange) { c.Leader = string(data.LeaderID) })
	}
}

// change reports the change, if anything changes and Raft has started.
func (r *roles) change(change func(*RoleChange)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.last
	change(&r.last)
	if r.last == before || r.last.Role == "" {
		return
	}
	now := r.last
	now.At = time.Now()
	r.report(now)
}

func roleName(state raft.RaftState) string { return strings.ToLower(state.String()) }

// watchedTerms is a stable store that reports the term when Raft stores it.
type watchedTerms struct {
	raft.StableStore
	roles *roles
}

func (s watchedTerms) SetUint64(key []byte, value uint64) error {
	err := s.StableStore.SetUint64(key, value)
	if err == nil && bytes.Equal(key, currentTermKey) {
		s.roles.change(func(c *RoleChange) { c.Term = value })
	}
	return err
}
