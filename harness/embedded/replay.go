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

// replay restores the state of a node at its start without waiting for a leader: it applies the log
// entries that are known to be committed. It also stores the commit index for the next start. Reads
// are refused until it has finished, because they would return an older state than before.
//
// RestoreCommittedLogs of Raft (1.8.0) does not work: it looks for configurations only after the
// entries that it restores, so a log without a snapshot has no members; it reads all entries into
// memory first; and more than 128 batches block NewRaft indefinitely. So Raft starts without it, and
// applies the same entries again when it has a leader. Entries that are already applied are dropped.
type replay struct {
	raft.BatchingFSM // the machine with its decorators
	machine          *machine.Machine
	stores           Stores
	failStop         *failStop
	// turn is a lock, held while the machine is changed. It is no mutex, because virtual time does
	// not advance while a goroutine waits for a mutex.
	turn chan struct{}
	fed  uint64 // the last index that Raft has applied; guarded by turn

	mu       sync.Mutex
	began    bool   // Raft has restored its first snapshot, or there is none
	from, to uint64 // the entries to apply: from+1 to to
	at       uint64 // the last applied entry
}

func newReplay(fsm raft.BatchingFSM, s *storage) *replay {
	return &replay{BatchingFSM: fsm, machine: s.machine, stores: s.Stores, failStop: s.failStop, turn: make(chan struct{}, 1)}
}

// Bounds of what is read and applied at once. The number of entries depends on how long the last
// batch took, so that the progress is reported regularly.
const (
	fewestReplayed = 8
	mostReplayed   = maxAppendEntries
	replayBytes    = 8 << 20
	replayPace     = 100 * time.Millisecond
)

// aim sets the entries to apply. They follow the newest snapshot, with which Raft starts.
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

// progress returns how many entries are applied, and how many there are.
func (r *replay) progress() (applied, of uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return min(r.at, r.to) - r.from, r.to - r.from
}

// known returns the commit index before the start.
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

// reach records that everything up to index is applied.
func (r *replay) reach(index uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = max(r.at, index)
}

// jump records that a snapshot was restored at index. It returns true if it is the snapshot with
// which Raft starts, which the replay then continues from.
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

// err returns why reads are refused, or nil.
func (r *replay) err() error {
	applied, of := r.progress()
	if applied == of {
		return nil
	}
	return unavailable(CodeReplaying, "this node replays its log after its start: it has applied %d of %d entries", applied, of)
}

// run applies the entries, until ctx ends. If that fails, the node fails.
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

// read reads entries from at+1 to next, which is at most to. It skips entries that Raft does not pass
// to the state machine.
func (r *replay) read(at, to uint64, atOnce int) (logs []*raft.Log, next uint64, err error) {
	bytes := 0
	for next = at; next < to && len(logs) < atOnce && bytes < replayBytes; next++ {
		log := new(raft.Log)
		if err := r.stores.Log.GetLog(next+1, log); err != nil {
			return nil, at, fmt.Errorf("replay the log: entry %d: %w", next+1, err)
		}
		if err := r.failStop.stopped(); err != nil { // the log is no longer read, so the entry is empty
			return nil, at, err
		}
		if log.Type == raft.LogCommand || log.Type == raft.LogConfiguration {
			logs, bytes = append(logs, log), bytes+len(log.Data)
		}
	}
	return logs, next, nil
}

// Apply applies one entry.
func (r *replay) Apply(log *raft.Log) any { return r.ApplyBatch([]*raft.Log{log})[0] }

// ApplyBatch is called by Raft. It drops entries that are already applied: no client waits for the
// answer to an entry of an earlier life.
func (r *replay) ApplyBatch(logs []*raft.Log) []any {
	last := logs[len(logs)-1].Index
	_ = r.stores.Commits.Commit(last) // on an error the node has failed
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

var errReplayed = errors.New("no snapshot yet: Raft has not reached the last replayed entry")

// Snapshot returns an error while the machine is ahead of Raft: the snapshot would not match the index
// that Raft gives it.
func (r *replay) Snapshot() (raft.FSMSnapshot, error) {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	if r.fed < r.machine.Applied() {
		return nil, errReplayed
	}
	return r.BatchingFSM.Snapshot()
}

// Restore restores a snapshot, which includes all entries that were to be replayed.
func (r *replay) Restore(source io.ReadCloser) error {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	err := r.BatchingFSM.Restore(source)
	if err == nil && !r.jump(r.machine.Applied()) {
		r.fed = r.machine.Applied()
	}
	return err
}
