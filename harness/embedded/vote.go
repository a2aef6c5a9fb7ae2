package embedded

import (
	"bytes"
	"sync"

	"github.com/hashicorp/raft"
)

// Vote is for whom a node has voted last: no node votes twice in a term.
type Vote struct {
	Term uint64 `json:"term"` // 0 if it never has
	For  string `json:"for"`  // the candidate's address
}

// Raft's names for what it stores of its vote; it stores them in this order.
var (
	voteTermKey = []byte("LastVoteTerm")
	voteForKey  = []byte("LastVoteCand")
)

// votes is the last vote that is safe on the disk. Reading it waits for no disk.
type votes struct {
	mu   sync.Mutex
	next uint64 // the term of a vote whose candidate is about to be stored
	last Vote
}

// read begins with what the store holds from earlier lives. What keeps the store from
// being read, Raft finds out as well.
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

// watchedVotes is a stable store whose votes are noted once they are stored.
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
