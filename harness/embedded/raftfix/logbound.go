package raftfix

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// LogBound limits the size of the log in bytes. It is safe for concurrent use.
//
// Bug: Raft counts entries, not bytes, when it decides whether to take a snapshot and how many
// trailing entries to keep. With entries of several megabytes the log grows to many gigabytes.
// Workaround: a snapshot is also taken when the entries since the last one are larger than
// SnapshotBytes and larger than that snapshot, so that snapshot writes stay proportional to log
// writes. At most TrailingBytes of entries are kept after a snapshot.
type LogBound struct {
	config  LogBoundConfig
	log     *LazyLog
	raft    atomic.Pointer[raft.Raft] // nil until it runs
	size    atomic.Int64              // of the newest snapshot, in bytes; 0 if there is none
	written chan struct{}             // signaled by an append when a snapshot is due
}

// LogBoundConfig has the limits and access to the node. All functions must be safe for concurrent
// use.
type LogBoundConfig struct {
	SnapshotBytes, TrailingBytes int64
	TrailingLogs                 uint64 // maximum number of entries to keep after a snapshot
	Applied                      func() uint64
	NewestSnapshot               func() uint64 // the last log index in it; 0 if there is no snapshot
	// Snapshot takes a snapshot. It blocks until the snapshot is stored or the node stops.
	Snapshot func() error
	Logger   hclog.Logger
}

// NewLogBound returns the bound of a log. The caller must call Run.
func NewLogBound(log *LazyLog, config LogBoundConfig) *LogBound {
	return &LogBound{config: config, log: log, written: make(chan struct{}, 1)}
}

// Serve sets the Raft instance, once it runs.
func (b *LogBound) Serve(r *raft.Raft) { b.raft.Store(r) }

// Run takes snapshots that are due because of the log's size. It blocks until ctx ends.
func (b *LogBound) Run(ctx context.Context) {
	for {
		select {
		case <-b.written:
			if b.due() { // check again: Raft may have taken a snapshot since
				b.snapshot()
			}
		case <-ctx.Done():
			return
		}
	}
}

// Log returns a log that checks the size after each append.
func (b *LogBound) Log(inner raft.LogStore) raft.LogStore { return boundedLog{monotonic{inner}, b} }

// Snapshots returns a snapshot store that sets the number of trailing entries before Raft truncates
// the log after a snapshot.
func (b *LogBound) Snapshots(inner raft.SnapshotStore) raft.SnapshotStore {
	return boundedSnapshots{inner, b}
}

func (b *LogBound) snapshot() {
	err := b.config.Snapshot()
	if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) && !errors.Is(err, context.Canceled) {
		b.config.Logger.Warn("the log has grown large and no snapshot could be taken", "error", err)
	}
}

// due reports whether the log is large enough for a snapshot.
func (b *LogBound) due() bool {
	since := b.log.sizes.between(b.config.NewestSnapshot(), b.config.Applied())
	return since > max(b.config.SnapshotBytes, b.size.Load())
}

// noted requests a snapshot if one is due. It is called after each append and does not block.
func (b *LogBound) noted() {
	if !b.due() {
		return
	}
	select {
	case b.written <- struct{}{}:
	default:
	}
}

// shorten sets how many entries Raft keeps after a snapshot.
func (b *LogBound) shorten() {
	r := b.raft.Load()
	if r == nil {
		return // Raft has not started yet
	}
	config := r.ReloadableConfig()
	config.TrailingLogs = b.log.sizes.last(b.config.TrailingLogs, b.config.TrailingBytes)
	if err := r.ReloadConfig(config); err != nil {
		b.config.Logger.Warn("the log keeps more entries than it should", "error", err)
	}
}

type boundedLog struct {
	monotonic
	bound *LogBound
}

func (l boundedLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

func (l boundedLog) StoreLogs(entries []*raft.Log) error {
	defer l.bound.noted()
	return l.LogStore.StoreLogs(entries)
}

type boundedSnapshots struct {
	raft.SnapshotStore
	bound *LogBound
}

func (s boundedSnapshots) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	if err == nil && len(metas) > 0 {
		s.bound.size.Store(metas[0].Size)
	}
	return metas, err
}

func (s boundedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration,
	membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, transport)
	return &boundedSink{SnapshotSink: sink, bound: s.bound}, err
}

type boundedSink struct {
	raft.SnapshotSink
	bound *LogBound
	size  int64
}

func (s *boundedSink) Write(p []byte) (int, error) {
	n, err := s.SnapshotSink.Write(p)
	s.size += int64(n)
	return n, err
}

// Close sets the number of trailing entries: Raft truncates its log next.
func (s *boundedSink) Close() error {
	err := s.SnapshotSink.Close()
	if err == nil {
		s.bound.size.Store(s.size)
		s.bound.shorten()
	}
	return err
}
