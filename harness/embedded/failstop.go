package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"

	"github.com/rejoin-db/rejoin/harness/disk"
	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// failStop makes a node fail permanently at the first error of a store. The node is disconnected
// from all others before Raft receives the error, so that no other node sees the consequences that
// Raft draws from it. Errors at which Raft would panic are hidden from it (raftfix.StoreErrors). It
// is safe for concurrent use.
type failStop struct {
	machine *machine.Machine

	mu      sync.Mutex
	cause   error
	silence func() // disconnects the node; returns when that is done
}

func newFailStop(m *machine.Machine) *failStop { return &failStop{machine: m, silence: func() {}} }

// cutOffBy sets the function that disconnects the node.
func (f *failStop) cutOffBy(silence func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.silence = silence
}

// stopped returns why the stores are no longer called, or nil.
func (f *failStop) stopped() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}

// fail makes the node fail and disconnects it before it returns. If the disk was detached or
// closed, the node is only disconnected: it is about to end anyway.
func (f *failStop) fail(cause error) {
	f.mu.Lock()
	if f.cause == nil {
		f.cause = cause
	}
	silence := f.silence
	f.mu.Unlock()
	if !errors.Is(cause, disk.ErrLost) && !errors.Is(cause, wal.ErrClosed) {
		f.machine.Fail(cause)
	}
	silence()
}

// do calls a store and returns its error. After a failure no store is called.
func (f *failStop) do(what string, call func() error) error {
	if err := f.stopped(); err != nil {
		return err
	}
	err := call()
	if err == nil || err == raft.ErrLogNotFound {
		return err
	}
	err = fmt.Errorf("%s: %w", what, err)
	f.fail(err)
	return err
}

// around returns the stores with fail-stop behaviour.
func (f *failStop) around(s Stores) Stores {
	if s.Commits == nil {
		s.Commits = noCommits{}
	}
	return Stores{
		Log: failStopLog{f, s.Log}, Stable: failStopStable{f, s.Stable}, Snapshots: failStopSnapshots{f, s.Snapshots},
		Commits: failStopCommits{f, s.Commits}, Closer: s.Closer,
	}
}

type failStopCommits struct {
	*failStop
	commits Commits
}

func (c failStopCommits) Commit(index uint64) error {
	return c.do("store the commit index", func() error { return c.commits.Commit(index) })
}

func (c failStopCommits) CommitIndex() (index uint64, err error) {
	err = c.do("read the commit index", func() error { index, err = c.commits.CommitIndex(); return err })
	return index, err
}

// noCommits stands in for stores without a commit index.
type noCommits struct{}

func (noCommits) Commit(uint64) error          { return nil }
func (noCommits) CommitIndex() (uint64, error) { return 0, nil }

type failStopLog struct {
	*failStop
	log raft.LogStore
}

func (l failStopLog) IsMonotonic() bool {
	log, is := l.log.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}

func (l failStopLog) FirstIndex() (index uint64, err error) {
	err = l.do("read the first index of the log", func() error { index, err = l.log.FirstIndex(); return err })
	return index, err
}

func (l failStopLog) LastIndex() (index uint64, err error) {
	err = l.do("read the last index of the log", func() error { index, err = l.log.LastIndex(); return err })
	return index, err
}

func (l failStopLog) GetLog(index uint64, entry *raft.Log) error {
	return l.do("read the log", func() error { return l.log.GetLog(index, entry) })
}

func (l failStopLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

func (l failStopLog) StoreLogs(entries []*raft.Log) error {
	return l.do("append to the log", func() error { return l.log.StoreLogs(entries) })
}

func (l failStopLog) DeleteRange(from, to uint64) error {
	return l.do("delete entries from the log", func() error { return l.log.DeleteRange(from, to) })
}

type failStopStable struct {
	*failStop
	stable raft.StableStore
}

func (s failStopStable) Set(key, value []byte) error {
	return s.do("store term or vote", func() error { return s.stable.Set(key, value) })
}

func (s failStopStable) SetUint64(key []byte, value uint64) error {
	return s.do("store term or vote", func() error { return s.stable.SetUint64(key, value) })
}

func (s failStopStable) Get(key []byte) (value []byte, err error) {
	err = s.do("read term or vote", func() error { value, err = s.stable.Get(key); return err })
	return value, err
}

func (s failStopStable) GetUint64(key []byte) (value uint64, err error) {
	err = s.do("read term or vote", func() error { value, err = s.stable.GetUint64(key); return err })
	return value, err
}

type failStopSnapshots struct {
	*failStop
	snapshots raft.SnapshotStore
}

func (s failStopSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration,
	membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	var inner raft.SnapshotSink
	err := s.do("create a snapshot", func() (err error) {
		inner, err = s.snapshots.Create(version, index, term, members, membersIndex, transport)
		return err
	})
	return failStopSink{inner, s.failStop}, err
}

func (s failStopSnapshots) List() (metas []*raft.SnapshotMeta, err error) {
	err = s.do("list the snapshots", func() error { metas, err = s.snapshots.List(); return err })
	return metas, err
}

func (s failStopSnapshots) Open(id string) (meta *raft.SnapshotMeta, content io.ReadCloser, err error) {
	var removed error // the store removed the snapshot after it was listed
	err = s.do("open a snapshot", func() error {
		meta, content, err = s.snapshots.Open(id)
		if errors.Is(err, fs.ErrNotExist) {
			removed = err
			return nil
		}
		return err
	})
	return meta, failStopContent{content, s.failStop}, cmp.Or(err, removed)
}

type failStopSink struct {
	raft.SnapshotSink
	*failStop
}

func (s failStopSink) Write(p []byte) (n int, err error) {
	err = s.do("write a snapshot", func() error { n, err = s.SnapshotSink.Write(p); return err })
	return n, err
}

func (s failStopSink) Close() error { return s.do("close a snapshot", s.SnapshotSink.Close) }

type failStopContent struct {
	io.ReadCloser
	*failStop
}

func (c failStopContent) Read(p []byte) (n int, err error) {
	ended := false
	err = c.do("read a snapshot", func() error {
		n, err = c.ReadCloser.Read(p)
		if ended = err == io.EOF; ended {
			return nil
		}
		return err
	})
	if ended {
		err = io.EOF
	}
	return n, err
}
