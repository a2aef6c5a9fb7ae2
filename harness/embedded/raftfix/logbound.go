package raftfix

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// LogBound keeps the log from growing without bound in bytes. It is safe for concurrent use.
//
// Fault: Raft counts entries and not bytes before it takes a snapshot, and in what it keeps of
// the log behind one. With entries of megabytes that is a log of many gigabytes. Mend: a
// snapshot is also taken when the entries since the last one hold more than SnapshotBytes and
// more than that snapshot, so that what is written for snapshots stays in proportion to what is
// written anyway. Behind a snapshot the log keeps entries of at most TrailingBytes.
type LogBound struct {
	config  LogBoundConfig
	log     *LazyLog
	raft    atomic.Pointer[raft.Raft] // nil until it runs
	size    atomic.Int64              // of the newest snapshot, in bytes; 0 if there is none
	written chan struct{}             // something was stored
}

// LogBoundConfig are the bounds, and what is known of the node. All functions must be safe for
// concurrent use.
type LogBoundConfig struct {
	SnapshotBytes, TrailingBytes int64
	TrailingLogs                 uint64 // entries that are kept at most
	Applied                      func() uint64
	NewestSnapshot               func() uint64 // its log index; 0 if there is none
	// Snapshot takes one. It blocks until it is stored, or the node ends.
	Snapshot func() error
	Logger   hclog.Logger
}

// NewLogBound returns the bound of a log. Run must follow.
func NewLogBound(log *LazyLog, config LogBoundConfig) *LogBound {
	return &LogBound{config: config, log: log, written: make(chan struct{}, 1)}
}

// Serve tells the bound which Raft it serves, once that runs.
func (b *LogBound) Serve(r *raft.Raft) { b.raft.Store(r) }

// Run takes snapshots that are due by size. It blocks until ctx ends.
func (b *LogBound) Run(ctx context.Context) {
	for {
		select {
		case <-b.written:
			if b.due() { // still: a snapshot may have been taken since
				b.snapshot()
			}
		case <-ctx.Done():
			return
		}
	}
}

// Log returns a log whose appends are counted.
func (b *LogBound) Log(inner raft.LogStore) raft.LogStore { return boundedLog{monotonic{inner}, b} }

// Snapshots returns a store that sets, before Raft shortens the log behind a snapshot, how many
// entries Raft may keep.
func (b *LogBound) Snapshots(inner raft.SnapshotStore) raft.SnapshotStore {
	return boundedSnapshots{inner, b}
}

func (b *LogBound) snapshot() {
	err := b.config.Snapshot()
	if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) && !errors.Is(err, context.Canceled) {
		b.config.Logger.Warn("the log has grown large and no snapshot could be taken", "error", err)
	}
}

// due tells whether a snapshot taken now would replace a log that is large.
func (b *LogBound) due() bool {
	since := b.log.sizes.between(b.config.NewestSnapshot(), b.config.Applied())
	return since > max(b.config.SnapshotBytes, b.size.Load())
}

// noted is called after each append. It does not block.
func (b *LogBound) noted() {
	if !b.due() {
		return
	}
	select {
	case b.written <- struct{}{}:
	default:
	}
}

// shorten tells Raft how many entries it may keep behind a snapshot.
func (b *LogBound) shorten() {
	r := b.raft.Load()
	if r == nil {
		return // it starts
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

// Close is followed by the shortening of the log.
func (s *boundedSink) Close() error {
	err := s.SnapshotSink.Close()
	if err == nil {
		s.bound.size.Store(s.size)
		s.bound.shorten()
	}
	return err
}
