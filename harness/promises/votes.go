package promises

import (
	"fmt"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// votes are what each node has promised the others, as far as any status ever told:
// whom it voted for. A promise outlives the node's process, unless its disk was taken
// away, or lies.
//
// That a node's term never runs backwards is not asked for: hashicorp/raft (seen in
// 1.8.0) handles heartbeats beside its main loop, and one of the old term that comes
// while the node stands for election takes it back into that term. Its vote stays.
type votes struct {
	mu     sync.Mutex
	now    uint64
	last   map[int]promise
	lying  map[int]bool // their disks have lied, so they may forget
	broken error        // the first promise that was broken
}

// promise is what a node showed to who began to ask, and had the answer, at these
// times. Times are counted, since many looks may be under way at once.
type promise struct {
	vote         target.Vote
	asked, heard uint64
}

func newVotes() votes { return votes{last: make(map[int]promise), lying: make(map[int]bool)} }

// tick is a time later than all before.
func (v *votes) tick() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now++
	return v.now
}

// note returns an error when it finds, for the first time, that a node has forgotten
// what it had promised.
func (v *votes) note(node Node, now promise) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now++
	now.heard = v.now
	before := v.last[node.Index()]
	if now.asked < before.heard { // the answers may have passed each other
		return nil
	}
	v.last[node.Index()] = now
	if v.broken != nil || v.lying[node.Index()] {
		return nil
	}
	switch {
	case now.vote.Term < before.vote.Term:
		v.broken = fmt.Errorf("%w: %s had voted for %s in term %d, and has forgotten it", ErrBroken, node, before.vote.For, before.vote.Term)
	case now.vote.Term == before.vote.Term && now.vote != before.vote:
		v.broken = fmt.Errorf("%w: %s voted in term %d for %s, and for %s", ErrBroken, node, now.vote.Term, before.vote.For, now.vote.For)
	default:
		return nil
	}
	return v.broken
}

// forget forgets a node that has a new disk; mayForget one whose disk lies.
func (v *votes) forget(i int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.last, i)
	delete(v.lying, i)
}

func (v *votes) mayForget(i int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lying[i] = true
}

func (v *votes) verify() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.broken
}
