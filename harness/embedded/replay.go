package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// replay makes a node that starts again serve what it served before, without having to
// hear from a leader first: it applies the entries of the log that were known to be
// committed, and notes which are for the next start. While it is at that, there is an
// older state to be read than there was, and nothing is read.
//
// Raft (1.8.0) has RestoreCommittedLogs for this, which does not do: it scans the log
// for members only behind the entries that it restores, so that a log without a snapshot
// has none; it reads all of them into memory first; and more than 128 batches of them
// block NewRaft without end. So Raft starts without it, and applies the same entries
// again when it has a leader. Those that are applied already are dropped.
type replay struct {
	raft.BatchingFSM // the machine, with what stands before it
	machine          *machine.Machine
	stores           Stores
	failStop         *failStop
	// turn is a lock: a value in it is held while the machine is changed. A mutex would stop the
	// time of a bubble.
	turn chan struct{}
	fed  uint64 // the index up to which Raft has come; guarded by turn

	mu       sync.Mutex
	began    bool   // whether Raft has restored the snapshot that it begins with
	from, to uint64 // what is to be applied: behind from, and to itself
	at       uint64 // up to where all is
}

func newReplay(fsm raft.BatchingFSM, s *storage) *replay {
	return &replay{BatchingFSM: fsm, machine: s.machine, stores: s.Stores, failStop: s.failStop, turn: make(chan struct{}, 1)}
}

// Bounds of what is read and applied at once. How many entries that are follows how long
// the last took, so that the progress shows.
const (
	fewestReplayed = 8
	mostReplayed   = maxAppendEntries
	replayBytes    = 8 << 20
	replayPace     = 100 * time.Millisecond
)

// aim notes what is to be applied. Raft is to begin with the newest snapshot.
func (r *replay) aim() error {
	committed, err := r.stores.Commits.CommitIndex()
	if err != nil {
		return err
	}
	snapshots, err := r.stores.Snapshots.List()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = len(snapshots) == 0
	if !r.began {
		r.from = snapshots[0].Index
	}
	r.at, r.to = r.from, max(committed, r.from)
	return nil
}

// progress is how many entries are applied, and of how many.
func (r *replay) progress() (applied, of uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return min(r.at, r.to) - r.from, r.to - r.from
}

// known is an index that was committed before the node started.
func (r *replay) known() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to
}

func (r *replay) place() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at
}

// reach notes that everything up to index is applied.
func (r *replay) reach(index uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = max(r.at, index)
}

// jump notes that a snapshot took the machine to index, and whether that was the one
// that Raft begins with: then it is from there that the replay goes on.
func (r *replay) jump(index uint64) (began bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.began {
		r.began = true
		return true
	}
	r.from, r.at, r.to = index, index, index
	return false
}

// err is why nothing can be read yet, or nil.
func (r *replay) err() error {
	applied, of := r.progress()
	if applied == of {
		return nil
	}
	return unavailable(CodeReplaying, "this node has started and replays its log: it has applied %d of %d entries", applied, of)
}

// run applies what is to be applied, until ctx ends. What keeps it from that fails the
// node.
func (r *replay) run(ctx context.Context) {
	for atOnce := fewestReplayed; ctx.Err() == nil && r.err() != nil; {
		begun := time.Now()
		if err := r.step(atOnce); err != nil {
			r.failStop.fail(err)
			return
		}
		if time.Since(begun) > replayPace {
			atOnce = max(atOnce/2, fewestReplayed)
		} else {
			atOnce = min(atOnce*2, mostReplayed)
		}
	}
}

func (r *replay) step(atOnce int) error {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	logs, next, err := r.read(r.place(), r.known(), atOnce)
	if err != nil {
		return err
	}
	if len(logs) > 0 {
		r.BatchingFSM.ApplyBatch(logs)
	}
	if err := r.machine.Failed(); err != nil {
		return err
	}
	r.reach(next)
	return nil
}

// read reads some entries behind at, and up to next, which is to or below. Of those that Raft
// keeps for itself the machine is given none, here as by Raft.
func (r *replay) read(at, to uint64, atOnce int) (logs []*raft.Log, next uint64, err error) {
	bytes := 0
	for next = at; next < to && len(logs) < atOnce && bytes < replayBytes; next++ {
		log := new(raft.Log)
		if err := r.stores.Log.GetLog(next+1, log); err != nil {
			return nil, at, fmt.Errorf("replay the log: entry %d: %w", next+1, err)
		}
		if err := r.failStop.stopped(); err != nil { // the entry is none then
			return nil, at, err
		}
		if log.Type == raft.LogCommand || log.Type == raft.LogConfiguration {
			logs, bytes = append(logs, log), bytes+len(log.Data)
		}
	}
	return logs, next, nil
}

// Apply is ApplyBatch of one entry.
func (r *replay) Apply(log *raft.Log) any { return r.ApplyBatch([]*raft.Log{log})[0] }

// ApplyBatch is what Raft calls. What is applied already is dropped: no client waits
// for the answer to an entry of an earlier life.
func (r *replay) ApplyBatch(logs []*raft.Log) []any {
	last := logs[len(logs)-1].Index
	_ = r.stores.Commits.Commit(last) // failStop knows
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	r.fed = last
	at, old := r.place(), 0
	for old < len(logs) && logs[old].Index <= at {
		old++
	}
	answers := make([]any, old, len(logs))
	for i := range answers {
		answers[i] = machine.Response{}
	}
	if old < len(logs) {
		answers = append(answers, r.BatchingFSM.ApplyBatch(logs[old:])...)
		r.reach(last)
	}
	return answers
}

var errReplayed = errors.New("the database is further than Raft, which has yet to come past what was replayed")

// Snapshot is not taken of a machine that is further than Raft: it would not be of the
// index that Raft gives it.
func (r *replay) Snapshot() (raft.FSMSnapshot, error) {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	if r.fed < r.machine.Applied() {
		return nil, errReplayed
	}
	return r.BatchingFSM.Snapshot()
}

// Restore puts the machine where the snapshot was taken. What was to be replayed is in it.
func (r *replay) Restore(source io.ReadCloser) error {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	err := r.BatchingFSM.Restore(source)
	if err == nil && !r.jump(r.machine.Applied()) {
		r.fed = r.machine.Applied()
	}
	return err
}
