package durable

import (
	"fmt"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/rejoin-db/rejoin/harness/disk"
)

// segmentSize is how many bytes of log go into one file.
const segmentSize = 4 << 20

// Log is Raft's log, its term and its vote. It is safe for concurrent use.
type Log struct {
	wal      *wal.WAL
	rotation *rotation
	// turn is held, by a value in it, by who changes the log. raft-wal has a mutex
	// for that, and holds it while it syncs; in a bubble that would stop the time.
	turn chan struct{}
}

var (
	_ raft.MonotonicLogStore = (*Log)(nil)
	_ raft.LogStore          = (*Log)(nil)
	_ raft.StableStore       = (*Log)(nil)
)

// OpenLog opens the log and reads it whole; a *DamageError says which file is not
// what it was. What fails later and in no call of its own goes to failed.
func OpenLog(fs *disk.FS, logger hclog.Logger, failed func(error)) (*Log, error) {
	l, err := openLog(fs, logger, failed, segmentSize)
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	return l, nil
}

func openLog(fs *disk.FS, logger hclog.Logger, failed func(error), segmentSize int) (*Log, error) {
	rotation := &rotation{failed: failed}
	m, err := openMeta(fs, rotation)
	if err != nil {
		return nil, err
	}
	if err := recoverLog(fs, m); err != nil {
		return nil, err
	}
	w, err := wal.Open(disk.LogDir, wal.WithSegmentSize(segmentSize), wal.WithLogger(logger),
		wal.WithMetaStore(m), wal.WithSegmentFiler(newSegments(fs, rotation)))
	if err != nil {
		return nil, err
	}
	return &Log{wal: w, rotation: rotation, turn: make(chan struct{}, 1)}, nil
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
// for one sync. If it fails, some or all of them may be there after a restart.
func (l *Log) StoreLogs(entries []*raft.Log) error {
	return l.inTurn(func() error { return l.wal.StoreLogs(entries) })
}

// DeleteRange removes entries at the beginning or the end.
func (l *Log) DeleteRange(from, to uint64) error {
	return l.inTurn(func() error { return l.wal.DeleteRange(from, to) })
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
	return l.wal.Close()
}
