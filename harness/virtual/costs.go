package virtual

import (
	"context"
	"hash/fnv"
	"io"
	"math/bits"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// costs are the times that parts of a node take in virtual time. In a bubble, computing takes no time. Without costs an
// entry would be applied the moment it is committed, and a read that does not wait for it would see it anyway.
type costs struct {
	apply, handover time.Duration // maximum
	seed            uint64
}

// around returns seams that add the costs outside of the given seams, so that a bug planted in those gets no additional
// time.
func (c costs) around(seams func(embedded.Life) embedded.Seams) func(embedded.Life) embedded.Seams {
	var mu sync.Mutex
	lives := make(map[string]uint64)
	born := func(node string) (life uint64) {
		mu.Lock()
		defer mu.Unlock()
		lives[node]++
		return lives[node]
	}
	return func(life embedded.Life) embedded.Seams {
		var s embedded.Seams
		if seams != nil {
			s = seams(life)
		}
		cost := newCost(c, life.ID, born(life.ID))
		machine, progress := s.Machine, s.Progress
		s.Machine = func(inner raft.BatchingFSM) raft.BatchingFSM { return costlyMachine{orItself(inner, machine), cost} }
		s.Progress = func(inner embedded.Progress) embedded.Progress {
			return costlyProgress{orItself(inner, progress), cost}
		}
		return s
	}
}

// within adds a delay to the state machine in the middle of some entries: after their statements ran, and before they
// are committed to the database and visible.
func (c costs) within(node string, o machine.Options) machine.Options {
	cost, inner := newCost(c, node, 0), o.Observe
	o.Observe = func(index uint64, taken sqlite.Cost, alone bool) {
		if inner != nil {
			inner(index, taken, alone)
		}
		if draw := mix(cost.key, inEntry, index); draw%4 == 0 {
			time.Sleep(share(draw, 2*cost.handover))
		}
	}
	return o
}

func orItself[T any](there T, decorate func(T) T) T {
	if decorate == nil {
		return there
	}
	return decorate(there)
}

// cost is the cost in one life of a node. Draws for an entry depend only on the seed, the life and the entry, not on
// the order of calls.
type cost struct {
	apply, handover time.Duration
	key             uint64
}

func newCost(c costs, node string, life uint64) cost {
	key := mix(c.seed, nameKey(node), life)
	// Each life has its own pace, so that some nodes lag behind others.
	return cost{apply: c.apply/2 + share(mix(key, pace), c.apply-c.apply/2), handover: c.handover, key: key}
}

// What is drawn for an entry.
const (
	pace = iota
	toMachine
	inMachine
	inEntry
	fromMachine
	toWaiting
)

func (c cost) draw(what, index uint64, most time.Duration) time.Duration {
	return share(mix(c.key, what, index), most)
}

// batch returns the duration of the batch that begins with the entry. Most batches are fast and some slow, with a mean
// of a sixth of the maximum.
func (c cost) batch(index uint64) time.Duration {
	takes, draw := c.apply, mix(c.key, inMachine, index)
	for range 5 { // the fifth power of a draw from [0, 1)
		takes = share(draw, takes)
	}
	return takes
}

// costlyMachine adds time before and after applying, and before restoring.
type costlyMachine struct {
	raft.BatchingFSM
	cost cost
}

func (m costlyMachine) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

func (m costlyMachine) ApplyBatch(logs []*raft.Log) []any {
	index := logs[0].Index
	time.Sleep(m.cost.draw(toMachine, index, m.cost.handover) + m.cost.batch(index))
	answers := m.BatchingFSM.ApplyBatch(logs)
	time.Sleep(m.cost.draw(fromMachine, index, m.cost.handover))
	return answers
}

func (m costlyMachine) Restore(source io.ReadCloser) error {
	time.Sleep(m.cost.apply / 2)
	return m.BatchingFSM.Restore(source)
}

// costlyProgress delays the end of waits.
type costlyProgress struct {
	embedded.Progress
	cost cost
}

func (p costlyProgress) WaitApplied(ctx context.Context, index uint64) error {
	if err := p.Progress.WaitApplied(ctx, index); err != nil {
		return err
	}
	time.Sleep(p.cost.draw(toWaiting, index, p.cost.handover))
	return nil
}

// share returns a uniform draw from [0, most).
func share(draw uint64, most time.Duration) time.Duration {
	part, _ := bits.Mul64(draw, uint64(most))
	return time.Duration(part)
}

func nameKey(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

// mix hashes its arguments into one number, every bit of which depends on every bit of them. It uses the steps of the
// splitmix64 generator.
func mix(words ...uint64) uint64 {
	var x uint64
	for _, w := range words {
		x = (x ^ w) + 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}
