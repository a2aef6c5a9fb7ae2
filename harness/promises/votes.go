package promises

import (
	"fmt"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// votes has the last vote of each node, as far as any status ever told. A vote outlives the
// node's process, unless its disk was replaced, or lies.
//
// A node's term may decrease: hashicorp/raft 1.8.0 handles heartbeats outside its main loop,
// and one of the previous term that arrives while the node is a candidate takes it back into
// that term. Its vote stays.
type votes struct {
	mu     sync.Mutex
	now    uint64
	last   map[int]promise
	lying  map[int]bool // whose disks have lied: they may forget
	broken error        // the first vote that was forgotten
}

// promise is the vote that a node showed, and when it was asked and had answered. Times are
// counted, since many probes may be in progress at once.
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

// note returns an error when it finds, for the first time, that a node has forgotten its vote.
func (v *votes) note(node Node, now promise) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now++
	now.heard = v.now
	before := v.last[node.Index()]
	if now.asked < before.heard { // the answers may have overtaken each other
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

// forget is for a node that has a new disk, mayForget for one whose disk lies.
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
