package embedded

import (
	"bytes"
	"sync"

	"github.com/hashicorp/raft"
)

// Vote is the last vote of a node. A node votes at most once per term.
type Vote struct {
	Term uint64 `json:"term"` // 0 if it has never voted
	For  string `json:"for"`  // address of the candidate
}

// The keys of the vote in Raft's stable store. Raft stores them in this order.
var (
	voteTermKey = []byte("LastVoteTerm")
	voteForKey  = []byte("LastVoteCand")
)

// votes is the last durable vote. Reading it does not access the disk.
type votes struct {
	mu   sync.Mutex
	next uint64 // the term of a vote whose candidate is about to be stored
	last Vote
}

// read loads the vote of earlier lives. It ignores errors: Raft reads the same keys and reports them.
func (v *votes) read(from raft.StableStore) {
	term, err := from.GetUint64(voteTermKey)
	if err != nil {
		return
	}
	candidate, err := from.Get(voteForKey)
	if err != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last = Vote{Term: term, For: string(candidate)}
}

func (v *votes) latest() Vote {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// watchedVotes is a stable store that updates votes when a vote is stored.
type watchedVotes struct {
	raft.StableStore
	votes *votes
}

func (s watchedVotes) SetUint64(key []byte, value uint64) error {
	err := s.StableStore.SetUint64(key, value)
	if err == nil && bytes.Equal(key, voteTermKey) {
		s.votes.mu.Lock()
		defer s.votes.mu.Unlock()
		s.votes.next = value
	}
	return err
}

func (s watchedVotes) Set(key, value []byte) error {
	err := s.StableStore.Set(key, value)
	if err == nil && bytes.Equal(key, voteForKey) {
		s.votes.mu.Lock()
		defer s.votes.mu.Unlock()
		s.votes.last = Vote{Term: s.votes.next, For: string(value)}
	}
	return err
}
