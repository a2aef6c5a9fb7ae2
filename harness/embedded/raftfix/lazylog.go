package raftfix

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// Bounds of memory in bytes. They bound what is read, sent and applied at once; a single entry
// may be larger, and then goes alone.
const (
	lazyFrom      = 4 << 10 // a command with at least this much data is handed to Raft without it
	appendBytes   = 1 << 20 // of data in one AppendEntries
	applyBytes    = 8 << 20 // of data in one batch for the state machine
	entryOverhead = 64      // what an entry takes besides its data, about
)

// LazyLog is the log that Raft is given. It returns a large command without its data, which is
// read when the entry is sent (appendbound.go) or applied (lazyfsm.go). It is safe for concurrent
// use.
//
// Fault: Raft counts entries and not bytes. For each follower that is behind it reads up to
// MaxAppendEntries entries before it sends the first, and holds them as long as the call takes.
// As many again wait for the state machine, 128 times over. With entries of megabytes that is
// gigabytes, and a call that cannot end in time.
//
// What an entry is without its data is known from when it was stored or first read.
type LazyLog struct {
	raft.LogStore
	whole   bool // entries are returned with their data
	sizes   *logSizes
	started *atomic.Bool // Raft has read what it begins with

	mu    sync.Mutex
	known map[uint64]raft.Log // large commands by index, without data
}

// NewLazyLog returns the log for a Raft that sets started once it has started. Without the mend
// LazyEntries it returns entries as they are.
func NewLazyLog(log raft.LogStore, started *atomic.Bool, mends Mends) *LazyLog {
	return &LazyLog{
		LogStore: log, whole: !mends.Has(LazyEntries), sizes: &logSizes{}, started: started, known: make(map[uint64]raft.Log),
	}
}

var _ raft.MonotonicLogStore = (*LazyLog)(nil)

// IsMonotonic tells whether the log has no gaps.
func (l *LazyLog) IsMonotonic() bool { return monotonic{l.LogStore}.IsMonotonic() }

func (l *LazyLog) isLazy(entry *raft.Log) bool {
	return !l.whole && entry.Type == raft.LogCommand && len(entry.Data) >= lazyFrom
}

// GetLog reads an entry, a large command without its data.
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

// StoreLog is StoreLogs of one entry.
func (l *LazyLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries, which have their data.
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

// DeleteRange removes entries at the beginning or the end.
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

// errEntryGone is the error of an entry that was removed from the log after Raft had read it.
var errEntryGone = errors.New("the entry is no longer in the log")

// loaded returns the first of the entries with their data, as many as fit into so many bytes
// and one at least. Index and term name an entry, so that a replacement is told apart.
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
		l.forget(entry.Index) // it may have been noted while it was being deleted
		return nil, fmt.Errorf("read log index %d again: %w", entry.Index, err)
	}
	return full, nil
}

func (l *LazyLog) forget(index uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, index)
}
