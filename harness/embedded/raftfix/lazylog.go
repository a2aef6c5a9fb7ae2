package raftfix

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// Memory bounds in bytes for what is read, sent and applied at once. A single entry may be larger; it
// is then handled alone.
const (
	lazyFrom      = 4 << 10 // commands with at least this much data are returned to Raft without it
	appendBytes   = 1 << 20 // of data in one AppendEntries
	applyBytes    = 8 << 20 // of data in one batch for the state machine
	entryOverhead = 64      // approximate size of an entry without its data
)

// LazyLog is the log that Raft uses. It returns large commands without their data, which is read when
// the entry is sent (appendbound.go) or applied (lazyfsm.go). It is safe for concurrent use.
//
// Bug: Raft counts entries, not bytes. For each follower that is behind, it reads up to
// MaxAppendEntries entries before it sends the first, and keeps them in memory until the call
// returns. Up to 128 batches of the same size wait for the state machine. With entries of several
// megabytes this takes gigabytes, and a call cannot finish before its timeout.
//
// The log keeps the other fields of large commands in memory once they were stored or read.
type LazyLog struct {
	raft.LogStore
	whole   bool // entries are returned with their data: the workaround is off
	sizes   *logSizes
	started *atomic.Bool // set after Raft has read its log at startup

	mu    sync.Mutex
	known map[uint64]raft.Log // large commands by index, without data
}

// NewLazyLog returns the log. The caller sets started once Raft has started. Without the workaround
// LazyEntries the log returns complete entries.
func NewLazyLog(log raft.LogStore, started *atomic.Bool, mends Mends) *LazyLog {
	return &LazyLog{
		LogStore: log, whole: !mends.Has(LazyEntries), sizes: &logSizes{}, started: started, known: make(map[uint64]raft.Log),
	}
}

var _ raft.MonotonicLogStore = (*LazyLog)(nil)

// IsMonotonic reports whether the log has no gaps.
func (l *LazyLog) IsMonotonic() bool { return monotonic{l.LogStore}.IsMonotonic() }

func (l *LazyLog) isLazy(entry *raft.Log) bool {
	return !l.whole && entry.Type == raft.LogCommand && len(entry.Data) >= lazyFrom
}

// GetLog reads an entry; large commands come without their data.
func (l *LazyLog) GetLog(index uint64, entry *raft.Log) error {
	l.mu.Lock()
	known, is := l.known[index]
	l.mu.Unlock()
	if is {
		*entry = known
		return nil
	}
	if err := l.LogStore.GetLog(index, entry); err != nil {
		return err
	}
	if !l.started.Load() {
		l.sizes.met(index, len(entry.Data))
	}
	if l.isLazy(entry) {
		entry.Data = nil
		l.mu.Lock()
		defer l.mu.Unlock()
		l.known[index] = *entry
	}
	return nil
}

// StoreLog appends one entry.
func (l *LazyLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries with their data.
func (l *LazyLog) StoreLogs(entries []*raft.Log) error {
	if err := l.LogStore.StoreLogs(entries); err != nil {
		return err
	}
	l.sizes.stored(entries)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entry := range entries {
		delete(l.known, entry.Index)
		if l.isLazy(entry) {
			known := *entry
			known.Data = nil
			l.known[entry.Index] = known
		}
	}
	return nil
}

// DeleteRange deletes entries at the beginning or the end.
func (l *LazyLog) DeleteRange(from, to uint64) error {
	l.mu.Lock()
	for index := range l.known {
		if from <= index && index <= to {
			delete(l.known, index)
		}
	}
	l.mu.Unlock()
	l.sizes.deleted(from, to)
	return l.LogStore.DeleteRange(from, to)
}

// errEntryGone is the error for an entry that was deleted or replaced after Raft had read it.
var errEntryGone = errors.New("the entry is no longer in the log")

// loaded returns a prefix of the entries with their data: as many as fit into room bytes, at least
// one. An entry is identified by index and term, so a replaced entry is detected.
func (l *LazyLog) loaded(entries []*raft.Log, room int) ([]*raft.Log, error) {
	out := make([]*raft.Log, 0, len(entries))
	for _, entry := range entries {
		full, err := l.load(entry)
		if err != nil {
			return nil, err
		}
		room -= len(full.Data) + entryOverhead
		if room < 0 && len(out) > 0 {
			break
		}
		out = append(out, full)
	}
	return out, nil
}

func (l *LazyLog) load(entry *raft.Log) (*raft.Log, error) {
	if entry.Type != raft.LogCommand || len(entry.Data) > 0 {
		return entry, nil
	}
	full := new(raft.Log)
	err := l.LogStore.GetLog(entry.Index, full)
	if err == nil && (full.Index != entry.Index || full.Term != entry.Term || full.Type != entry.Type) {
		err = errEntryGone
	}
	if err != nil {
		l.forget(entry.Index) // GetLog may have recorded it during the deletion
		return nil, fmt.Errorf("read log index %d again: %w", entry.Index, err)
	}
	return full, nil
}

func (l *LazyLog) forget(index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, index)
}
