package embedded

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// Raft (1.8.0) counts entries, and not bytes, before it takes a snapshot, and in what it
// keeps of the log behind one. With entries of megabytes that is a log of many gigabytes.
// So a node also takes a snapshot when the entries since the last hold more than
// snapshotBytes, and more than the last snapshot, so that what is written for snapshots
// stays in proportion to what is written anyway. Behind a snapshot it keeps entries of
// trailingBytes, if those are fewer than Config.TrailingLogs.
const (
	snapshotBytes = 128 << 20
	trailingBytes = 64 << 20
)

type logBounds struct{ snapshot, trailing int64 }

// logBound keeps the log from growing without bound.
type logBound struct {
	node    *Node
	log     *hollowLog
	raft    atomic.Pointer[raft.Raft] // nil until it runs
	size    atomic.Int64              // of the newest snapshot, in bytes; 0 if there is none
	written chan struct{}             // something was stored
}

func (n *Node) newLogBound(log *hollowLog) *logBound {
	return &logBound{node: n, log: log, written: make(chan struct{}, 1)}
}

// watch takes snapshots that are due by size, until the node ends.
func (b *logBound) watch(r *raft.Raft) {
	b.raft.Store(r)
	b.node.wg.Go(func() {
		for {
			select {
			case <-b.written:
				if b.due() { // still: a snapshot may have been taken since
					b.snapshot()
				}
			case <-b.node.ctx.Done():
				return
			}
		}
	})
}

func (b *logBound) snapshot() {
	err := b.node.wait(b.node.ctx, func() raft.Future { return b.raft.Load().Snapshot() })
	if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) && !errors.Is(err, context.Canceled) {
		b.node.config.Logger.Warn("the log has grown large and no snapshot could be taken", "error", err)
	}
}

// due tells whether a snapshot taken now would replace a log that is large.
func (b *logBound) due() bool {
	since := b.log.weights.between(b.node.newestSnapshot.Load(), b.node.storage.machine.Applied())
	return since > max(b.node.config.bounds.snapshot, b.size.Load())
}

// noted is called after each append. It does not block.
func (b *logBound) noted() {
	if !b.due() {
		return
	}
	select {
	case b.written <- struct{}{}:
	default:
	}
}

// boundedLog tells the bound what is stored.
type boundedLog struct {
	raft.LogStore
	bound *logBound
}

var _ raft.MonotonicLogStore = boundedLog{}

// IsMonotonic tells whether the log takes no gaps.
func (l boundedLog) IsMonotonic() bool {
	log, is := l.LogStore.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}

// StoreLog is StoreLogs of one entry.
func (l boundedLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries.
func (l boundedLog) StoreLogs(entries []*raft.Log) error {
	defer l.bound.noted()
	return l.LogStore.StoreLogs(entries)
}

// boundedSnapshots tells Raft, before it shortens the log behind a snapshot, how many
// entries it may keep, and notes how large the newest is.
type boundedSnapshots struct {
	raft.SnapshotStore
	bound *logBound
}

// List lists the snapshots, the newest first.
func (s boundedSnapshots) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	if err == nil && len(metas) > 0 {
		s.bound.size.Store(metas[0].Size)
	}
	return metas, err
}

// Create begins a snapshot.
func (s boundedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, transport)
	return &boundedSink{SnapshotSink: sink, bound: s.bound}, err
}

type boundedSink struct {
	raft.SnapshotSink
	bound *logBound
	size  int64
}

var _ io.Writer = (*boundedSink)(nil)

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

// shorten tells Raft how many entries it may keep behind a snapshot.
func (b *logBound) shorten() {
	r := b.raft.Load()
	if r == nil {
		return // it starts
	}
	config := r.ReloadableConfig()
	config.TrailingLogs = b.log.weights.last(uint64(b.node.config.TrailingLogs), b.node.config.bounds.trailing)
	if err := r.ReloadConfig(config); err != nil {
		b.node.config.Logger.Warn("the log keeps more than it should", "error", err)
	}
}
