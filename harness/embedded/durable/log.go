package durable

import (
	"errors"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// segmentSize is how many bytes of log go into one file.
const segmentSize = 4 << 20

// Log is Raft's log, its term and its vote, and how much of the log is known to be
// committed. It is safe for concurrent use.
type Log struct {
	wal      *wal.WAL
	meta     *meta
	rotation *rotation
	promises *promises
	// turn is held, by a value in it, by who changes the log. raft-wal has a mutex
	// for that, and holds it while it syncs; in a bubble that would stop the time.
	turn chan struct{}
	// segment is after how many rotations the last append was; none if negative. Who has
	// the turn has it.
	segment int
}

const noSegment = -1

var (
	_ raft.MonotonicLogStore = (*Log)(nil)
	_ raft.LogStore          = (*Log)(nil)
	_ raft.StableStore       = (*Log)(nil)
)

// openLog opens the log and reads it whole; a *DamageError says which file is not
// what it was, a *LostError which is less than was promised. Before the promise is
// known to be kept nothing is changed. What fails later and in no call of its own
// goes to failed.
func openLog(fs *disk.FS, promises *promises, logger hclog.Logger, failed func(error), segmentSize int) (*Log, error) {
	rotation := &rotation{failed: failed}
	m, err := openMeta(fs, rotation, promises)
	if err != nil {
		return nil, err
	}
	found, err := readLog(fs, m)
	if err != nil {
		return nil, err
	}
	if !promises.exists && (found.end() > 0 || len(m.content.Stable) > 0) {
		return nil, lost(fs.Path(disk.PromiseFile), "it is missing, and the log is not")
	}
	if err := found.kept(fs, promises.current()); err != nil {
		return nil, err
	}
	if err := recoverLog(fs, m, found); err != nil {
		return nil, err
	}
	w, err := wal.Open(disk.LogDir, wal.WithSegmentSize(segmentSize), wal.WithLogger(logger),
		wal.WithMetaStore(m), wal.WithSegmentFiler(newSegments(fs, rotation)))
	if err != nil {
		return nil, err
	}
	l := &Log{wal: w, meta: m, rotation: rotation, promises: promises, turn: make(chan struct{}, 1), segment: noSegment}
	if err := l.sameEnd(fs); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// sameEnd expects the entry that was promised as the last to be of the term that was
// promised. An older file in the place of a newer one may be as long.
func (l *Log) sameEnd(fs *disk.FS) error {
	promised := l.promises.current()
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	var entry raft.Log
	err = l.GetLog(promised.last, &entry)
	switch {
	case err == raft.ErrLogNotFound && promised.last <= last, last == 0: // a snapshot has it
		return nil
	case err != nil:
		return err
	}
	if entry.Term != promised.lastTerm {
		return lost(fs.Path(disk.LogDir), "entry %d is of term %d, and was of term %d", promised.last, entry.Term, promised.lastTerm)
	}
	return nil
}

// inTurn calls change while nothing else changes the log.
func (l *Log) inTurn(change func() error) error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if err := l.rotation.wait(); err != nil {
		return err
	}
	return change()
}

// StoreLog is StoreLogs of one entry.
func (l *Log) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries, which must follow the last without a gap. It blocks
// for one sync, and for another with the first entries of a segment and once in
// syncPromises. If it fails, some or all of them may be there after a restart.
func (l *Log) StoreLogs(entries []*raft.Log) error {
	if len(entries) == 0 {
		return nil
	}
	return l.inTurn(func() error {
		segment := l.rotation.number()
		if err := l.wal.StoreLogs(entries); err != nil {
			return err
		}
		end := entries[len(entries)-1]
		promise := func(p *promise) { p.last, p.lastTerm = end.Index, end.Term }
		if segment != l.segment { // so that the file is missed even if the power is lost with it
			l.segment = segment
			return l.promises.keep(promise)
		}
		return l.promises.note(promise)
	})
}

// DeleteRange removes entries at the beginning or the end. The end is promised no
// more before it goes.
func (l *Log) DeleteRange(from, to uint64) error {
	return l.inTurn(func() error {
		if err := l.promiseLess(from, to); err != nil {
			return err
		}
		l.segment = noSegment // the next append may be to another
		return l.wal.DeleteRange(from, to)
	})
}

// promiseLess promises what is left of the log when from to to are removed. Removed
// whole, it may go on from where it began.
func (l *Log) promiseLess(from, to uint64) error {
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	last, err := l.LastIndex()
	if err != nil || last == 0 || from > last || to < last {
		return err
	}
	end := raft.Log{Index: first - 1}
	if from > first {
		if err := l.GetLog(from-1, &end); err != nil {
			return err
		}
	}
	return l.promises.keep(func(p *promise) { p.last, p.lastTerm = end.Index, end.Term })
}

// Commit notes that the log is committed up to index, for the next start. It waits for
// no sync: the end of the process does not lose it, a loss of power may.
func (l *Log) Commit(index uint64) error {
	_, err := l.promises.change(func(p *promise) { p.commit = max(p.commit, index) })
	return err // if a sync is due, the next append has it
}

// CommitIndex is an index up to which the log is committed, and the highest that was
// noted; not above the end of the log, and 0 if none is known.
func (l *Log) CommitIndex() (uint64, error) {
	last, err := l.LastIndex()
	return min(l.promises.current().commit, last), err
}

// IsMonotonic says that there are no gaps.
func (l *Log) IsMonotonic() bool { return true }

// FirstIndex is the index of the first entry; 0 if there is none.
func (l *Log) FirstIndex() (uint64, error) { return l.wal.FirstIndex() }

// LastIndex is the index of the last entry; 0 if there is none.
func (l *Log) LastIndex() (uint64, error) { return l.wal.LastIndex() }

// GetLog reads an entry. It returns raft.ErrLogNotFound if there is none, and a
// *DamageError if it is not what was stored.
//
// raft-wal (seen in 0.4.1) goes on answering for entries below its first index as
// long as their file holds others, which would hide that a follower is too far
// behind for the log.
func (l *Log) GetLog(index uint64, entry *raft.Log) error {
	first, err := l.FirstIndex()
	if err != nil {
		return err
	}
	if index < first {
		return raft.ErrLogNotFound
	}
	return l.wal.GetLog(index, entry)
}

// Set stores a value for a key, as a whole. It blocks until it is safe.
func (l *Log) Set(key, value []byte) error { return l.wal.Set(key, value) }

// Get returns the value of a key; nil if there is none.
func (l *Log) Get(key []byte) ([]byte, error) { return l.wal.Get(key) }

// SetUint64 is Set of a number.
func (l *Log) SetUint64(key []byte, value uint64) error { return l.wal.SetUint64(key, value) }

// GetUint64 returns the number stored for a key; 0 if there is none.
func (l *Log) GetUint64(key []byte) (uint64, error) { return l.wal.GetUint64(key) }

// Close closes the log. Everything that was stored is safe already.
func (l *Log) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	_ = l.rotation.wait() // failed has been told
	return errors.Join(l.wal.Close(), l.promises.close())
}
