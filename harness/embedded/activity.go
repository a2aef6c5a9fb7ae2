package embedded

import (
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// activity is the long work a node is at, for whoever asks how it is. What the
// work passes through tells it: the state machine, the snapshot store and the
// transport that are given to Raft are wrapped.
type activity struct {
	mu    sync.Mutex
	doing []string
	// unwritten are the snapshots that were taken of the state machine and for
	// which no sink was asked yet. A sink that nobody took a snapshot for is for
	// one that is received.
	unwritten int
}

// begin notes that work begins; end may be called more than once.
func (a *activity) begin(what string) (end func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.beginLocked(what)
}

func (a *activity) beginLocked(what string) (end func()) {
	a.doing = append(a.doing, what)
	return sync.OnceFunc(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if i := slices.Index(a.doing, what); i >= 0 {
			a.doing = slices.Delete(a.doing, i, i+1)
		}
	})
}

// String is all of it in words, as in "sending a snapshot to n1".
func (a *activity) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.doing, ", ")
}

// watchedMachine notes when a snapshot is taken or restored.
type watchedMachine struct {
	raft.BatchingFSM
	activity *activity
}

var _ raft.BatchingFSM = watchedMachine{}

func (m watchedMachine) Snapshot() (raft.FSMSnapshot, error) {
	taken, err := m.BatchingFSM.Snapshot()
	if err != nil {
		return nil, err
	}
	m.activity.mu.Lock()
	defer m.activity.mu.Unlock()
	m.activity.unwritten++
	return watchedSnapshot{taken, m.activity.beginLocked("taking a snapshot")}, nil
}

func (m watchedMachine) Restore(source io.ReadCloser) error {
	defer m.activity.begin("restoring a snapshot")()
	return m.BatchingFSM.Restore(source)
}

type watchedSnapshot struct {
	raft.FSMSnapshot
	end func()
}

func (s watchedSnapshot) Release() {
	s.FSMSnapshot.Release()
	s.end()
}

// watchedSnapshots notes when a snapshot is received, and which is the newest.
type watchedSnapshots struct {
	raft.SnapshotStore
	activity *activity
	newest   *atomic.Uint64 // log index; 0 if there is none
}

// List is what Raft begins with.
func (s watchedSnapshots) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	if err == nil && len(metas) > 0 {
		s.note(metas[0].Index)
	}
	return metas, err
}

// note notes a snapshot that is there, unless a newer one came first.
func (s watchedSnapshots) note(index uint64) {
	for known := s.newest.Load(); known < index; known = s.newest.Load() {
		s.newest.CompareAndSwap(known, index)
	}
}

func (s watchedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration, membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	s.activity.mu.Lock()
	own := s.activity.unwritten > 0
	if own {
		s.activity.unwritten--
	}
	s.activity.mu.Unlock()
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, transport)
	if err != nil {
		return sink, err
	}
	end := func() {}
	if !own {
		end = s.activity.begin("receiving a snapshot")
	}
	return watchedSink{sink, end, func() { s.note(index) }}, nil
}

type watchedSink struct {
	raft.SnapshotSink
	end, done func()
}

func (s watchedSink) Close() error {
	defer s.end()
	err := s.SnapshotSink.Close()
	if err == nil {
		s.done()
	}
	return err
}

func (s watchedSink) Cancel() error { defer s.end(); return s.SnapshotSink.Cancel() }

// watchedTransport notes when a snapshot is sent.
type watchedTransport struct {
	transport
	activity *activity
}

func (t watchedTransport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	defer t.activity.begin("sending a snapshot to " + string(id))()
	return t.transport.InstallSnapshot(id, target, args, resp, data)
}
