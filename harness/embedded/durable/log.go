package durable

import (
	"errors"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// segmentSize is the size of a log segment, in bytes.
const segmentSize = 4 << 20

// Log is Raft's log, its term and its vote, and a lower bound of the commit index. It is safe for
// concurrent use.
type Log struct {
	wal      *wal.WAL
	meta     *meta
	rotation *rotation
	promises *promises
	// lock is a mutex for changes of the log: it is locked while it holds a value. raft-wal has a
	// mutex for that and holds it while it syncs; waiting for a mutex would stop virtual time.
	lock chan struct{}
	// segment is the rotation count at the last append, or noSegment. Guarded by lock.
	segment int
}

const noSegment = -1

var (
	_ raft.MonotonicLogStore = (*Log)(nil)
	_ raft.LogStore          = (*Log)(nil)
	_ raft.StableStore       = (*Log)(nil)
)

// openLog opens the log and verifies all of it. It returns a *DamageError for a corrupt file and
// a *LostError for data that was promised and is missing. Nothing is changed before the promise
// is verified. Later errors outside a call are passed to failed.
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
		return nil, lost(fs.Path(disk.PromiseFile), "it is missing, but the log exists")
	}
	if err := found.check(fs, promises.current()); err != nil {
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
	l := &Log{wal: w, meta: m, rotation: rotation, promises: promises, lock: make(chan struct{}, 1), segment: noSegment}
	if err := l.checkEnd(fs); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// checkEnd verifies that the last promised entry has the promised term. An older file in place of
// a newer one may have the same length.
func (l *Log) checkEnd(fs *disk.FS) error {
	promised := l.promises.current()
	last, err := l.LastIndex()
	if err != nil {
		return err
	}
	var entry raft.Log
	err = l.GetLog(promised.last, &entry)
	switch {
	case err == raft.ErrLogNotFound && promised.last <= last, last == 0: // covered by a snapshot
		return nil
	case err != nil:
		return err
	}
	if entry.Term != promised.lastTerm {
		return lost(fs.Path(disk.LogDir), "entry %d has term %d, but was stored with term %d", promised.last, entry.Term, promised.lastTerm)
	}
	return nil
}

// withLock calls change with the lock, after any rotation has ended.
func (l *Log) withLock(change func() error) error {
	l.lock <- struct{}{}
	defer func() { <-l.lock }()
	if err := l.rotation.wait(); err != nil {
		return err
	}
	return change()
}

// StoreLog is StoreLogs for one entry.
func (l *Log) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries, which must follow the last entry without a gap. It blocks for one
// sync, and for a second one with the first entries of a segment and once per syncPromises. After
// an error some or all entries may be present after a restart.
func (l *Log) StoreLogs(entries []*raft.Log) error {
	if len(entries) == 0 {
		return nil
	}
	return l.withLock(func() error {
		segment := l.rotation.number()
		if err := l.wal.StoreLogs(entries); err != nil {
			return err
		}
		end := entries[len(entries)-1]
		promise := func(p *promise) { p.last, p.lastTerm = end.Index, end.Term }
		if segment != l.segment { // so that a lost segment file is detected even after a power loss
			l.segment = segment
			return l.promises.keep(promise)
		}
		return l.promises.note(promise)
	})
}

// DeleteRange removes entries at the beginning or at the end. It lowers the promise before it
// removes entries at the end. It blocks until the change is durable.
func (l *Log) DeleteRange(from, to uint64) error {
	return l.withLock(func() error {
		if err := l.lowerPromise(from, to); err != nil {
			return err
		}
		l.segment = noSegment // the next append may go to a new segment
		return l.wal.DeleteRange(from, to)
	})
}

// lowerPromise lowers the promise to what is left of the log after from to to are removed. If
// nothing is left, the log may start again at its first index.
func (l *Log) lowerPromise(from, to uint64) error {
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

// Commit records that the log is committed up to index, for the next start. It does not wait for
// a sync: the record survives the end of the process, but maybe not a power loss.
func (l *Log) Commit(index uint64) error {
	_, err := l.promises.change(func(p *promise) { p.commit = max(p.commit, index) })
	return err // a sync that is due happens with the next append
}

// CommitIndex returns the highest recorded commit index, but at most the end of the log; 0 if
// none is known.
func (l *Log) CommitIndex() (uint64, error) {
	last, err := l.LastIndex()
	return min(l.promises.current().commit, last), err
}

// IsMonotonic returns true: the log has no gaps.
func (l *Log) IsMonotonic() bool { return true }

// FirstIndex returns the index of the first entry, or 0 if there is none.
func (l *Log) FirstIndex() (uint64, error) { return l.wal.FirstIndex() }

// LastIndex returns the index of the last entry, or 0 if there is none.
func (l *Log) LastIndex() (uint64, error) { return l.wal.LastIndex() }

// GetLog reads an entry. It returns raft.ErrLogNotFound if there is none, and a *DamageError if
// it is corrupt.
//
// raft-wal 0.4.1 still returns entries below its first index while their segment file holds later
// entries. That would hide that a follower is too far behind for the log.
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

// Set stores a value for a key atomically. It blocks until the value is durable.
func (l *Log) Set(key, value []byte) error { return l.wal.Set(key, value) }

// Get returns the value of a key, or nil if there is none.
func (l *Log) Get(key []byte) ([]byte, error) { return l.wal.Get(key) }

// SetUint64 is Set for a number.
func (l *Log) SetUint64(key []byte, value uint64) error { return l.wal.SetUint64(key, value) }

// GetUint64 returns the number stored for a key, or 0 if there is none.
func (l *Log) GetUint64(key []byte) (uint64, error) { return l.wal.GetUint64(key) }

// Close closes the log. Everything stored is already durable. It waits for a rotation in
// progress.
func (l *Log) Close() error {
	l.lock <- struct{}{}
	defer func() { <-l.lock }()
	_ = l.rotation.wait() // reported to failed
	return errors.Join(l.wal.Close(), l.promises.close())
}
