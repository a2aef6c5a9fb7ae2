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

// guard makes a node whose storage fails fail, and not be wrong. At the first
// error of a store the node is failed for good, and cut off from the others,
// before Raft hears of it: nothing that Raft makes of the error leaves the node.
//
// Raft (1.8.0) has no answer to some errors but a panic: of a term that cannot be
// stored, of a committed entry that cannot be read. Those it is not told. It gets
// a success, or an entry without content, which nobody will ever see.
type guard struct {
	machine *machine.Machine

	mu      sync.Mutex
	cause   error
	silence func() // cuts the node off, and returns when it is
}

func newGuard(m *machine.Machine) *guard { return &guard{machine: m, silence: func() {}} }

// cutOffBy says what cuts the node off.
func (g *guard) cutOffBy(silence func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.silence = silence
}

// stopped returns why nothing is stored any more, or nil.
func (g *guard) stopped() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause
}

// fail makes the node fail. A disk that was taken away from it, or closed, is the
// node's end anyhow, and no failure of it.
func (g *guard) fail(cause error) {
	g.mu.Lock()
	if g.cause == nil {
		g.cause = cause
	}
	silence := g.silence
	g.mu.Unlock()
	if !errors.Is(cause, disk.ErrLost) && !errors.Is(cause, wal.ErrClosed) {
		g.machine.Fail(cause)
	}
	silence()
}

// do calls a store and returns its error. Once the node has failed, nothing is
// called any more.
func (g *guard) do(what string, call func() error) error {
	if err := g.stopped(); err != nil {
		return err
	}
	err := call()
	if err == nil || err == raft.ErrLogNotFound {
		return err
	}
	err = fmt.Errorf("%s: %w", what, err)
	g.fail(err)
	return err
}

// around puts the guard before stores.
func (g *guard) around(s Stores) Stores {
	if s.Commits == nil {
		s.Commits = noCommits{}
	}
	return Stores{
		Log: guardedLog{g, s.Log}, Stable: guardedStable{g, s.Stable}, Snapshots: guardedSnapshots{g, s.Snapshots},
		Commits: guardedCommits{g, s.Commits}, Closer: s.Closer,
	}
}

type guardedCommits struct {
	*guard
	commits Commits
}

func (c guardedCommits) Commit(index uint64) error {
	return c.do("note what is committed", func() error { return c.commits.Commit(index) })
}

func (c guardedCommits) CommitIndex() (index uint64, err error) {
	err = c.do("ask what is committed", func() error { index, err = c.commits.CommitIndex(); return err })
	return index, err
}

// noCommits is for stores that know nothing of it.
type noCommits struct{}

func (noCommits) Commit(uint64) error          { return nil }
func (noCommits) CommitIndex() (uint64, error) { return 0, nil }

type guardedLog struct {
	*guard
	log raft.LogStore
}

func (l guardedLog) IsMonotonic() bool {
	log, is := l.log.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}

func (l guardedLog) FirstIndex() (index uint64, err error) {
	err = l.do("ask the log for its beginning", func() error { index, err = l.log.FirstIndex(); return err })
	return index, err
}

func (l guardedLog) LastIndex() (index uint64, err error) {
	err = l.do("ask the log for its end", func() error { index, err = l.log.LastIndex(); return err })
	return index, err
}

// GetLog answers for an entry that cannot be read by one without content.
func (l guardedLog) GetLog(index uint64, entry *raft.Log) error {
	err := l.do("read the log", func() error { return l.log.GetLog(index, entry) })
	if err == nil || err == raft.ErrLogNotFound {
		return err
	}
	*entry = raft.Log{Index: index, Type: raft.LogNoop}
	return nil
}

func (l guardedLog) StoreLog(entry *raft.Log) error { return l.StoreLogs([]*raft.Log{entry}) }

func (l guardedLog) StoreLogs(entries []*raft.Log) error {
	return l.do("append to the log", func() error { return l.log.StoreLogs(entries) })
}

func (l guardedLog) DeleteRange(from, to uint64) error {
	return l.do("shorten the log", func() error { return l.log.DeleteRange(from, to) })
}

type guardedStable struct {
	*guard
	stable raft.StableStore
}

// Set says that it has stored what it could not.
func (s guardedStable) Set(key, value []byte) error {
	_ = s.do("store term or vote", func() error { return s.stable.Set(key, value) })
	return nil
}

// SetUint64 is like Set.
func (s guardedStable) SetUint64(key []byte, value uint64) error {
	_ = s.do("store term or vote", func() error { return s.stable.SetUint64(key, value) })
	return nil
}

func (s guardedStable) Get(key []byte) (value []byte, err error) {
	err = s.do("read term or vote", func() error { value, err = s.stable.Get(key); return err })
	return value, err
}

func (s guardedStable) GetUint64(key []byte) (value uint64, err error) {
	err = s.do("read term or vote", func() error { value, err = s.stable.GetUint64(key); return err })
	return value, err
}

type guardedSnapshots struct {
	*guard
	snapshots raft.SnapshotStore
}

func (s guardedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	var inner raft.SnapshotSink
	err := s.do("begin a snapshot", func() (err error) {
		inner, err = s.snapshots.Create(version, index, term, members, membersIndex, transport)
		return err
	})
	return guardedSink{inner, s.guard}, err
}

func (s guardedSnapshots) List() (metas []*raft.SnapshotMeta, err error) {
	err = s.do("list the snapshots", func() error { metas, err = s.snapshots.List(); return err })
	return metas, err
}

func (s guardedSnapshots) Open(id string) (meta *raft.SnapshotMeta, content io.ReadCloser, err error) {
	var removed error // since it was listed, as one too many
	err = s.do("open a snapshot", func() error {
		meta, content, err = s.snapshots.Open(id)
		if errors.Is(err, fs.ErrNotExist) {
			removed = err
			return nil
		}
		return err
	})
	return meta, guardedContent{content, s.guard}, cmp.Or(err, removed)
}

type guardedSink struct {
	raft.SnapshotSink
	guard *guard
}

func (s guardedSink) Write(p []byte) (n int, err error) {
	err = s.guard.do("write a snapshot", func() error { n, err = s.SnapshotSink.Write(p); return err })
	return n, err
}

func (s guardedSink) Close() error { return s.guard.do("end a snapshot", s.SnapshotSink.Close) }

type guardedContent struct {
	io.ReadCloser
	guard *guard
}

func (c guardedContent) Read(p []byte) (n int, err error) {
	ended := false
	err = c.guard.do("read a snapshot", func() error {
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
