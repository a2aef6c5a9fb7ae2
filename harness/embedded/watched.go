package embedded

import (
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// watchedMachine reports when a snapshot is taken or restored.
type watchedMachine struct {
	raft.BatchingFSM
	activities *activities
}

var _ raft.BatchingFSM = watchedMachine{}

func (m watchedMachine) Snapshot() (raft.FSMSnapshot, error) {
	taken, err := m.BatchingFSM.Snapshot()
	if err != nil {
		return nil, err
	}
	m.activities.mu.Lock()
	defer m.activities.mu.Unlock()
	m.activities.unwritten++
	return watchedSnapshot{taken, m.activities.beginLocked(Work{Activity: TakingSnapshot})}, nil
}

func (m watchedMachine) Restore(source io.ReadCloser) error {
	defer m.activities.begin(Work{Activity: RestoringSnapshot})()
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

// watchedSnapshots reports when a snapshot is received, and the index of the newest one.
type watchedSnapshots struct {
	raft.SnapshotStore
	activities *activities
	newest     *atomic.Uint64 // log index; 0 if there is none
}

// List is called by Raft when it starts.
func (s watchedSnapshots) List() ([]*raft.SnapshotMeta, error) {
	metas, err := s.SnapshotStore.List()
	if err == nil && len(metas) > 0 {
		s.note(metas[0].Index)
	}
	return metas, err
}

// note records the index of a snapshot, unless a newer one is known.
func (s watchedSnapshots) note(index uint64) {
	for known := s.newest.Load(); known < index; known = s.newest.Load() {
		s.newest.CompareAndSwap(known, index)
	}
}

func (s watchedSnapshots) Create(version raft.SnapshotVersion, index, term uint64, members raft.Configuration,
	membersIndex uint64, transport raft.Transport) (raft.SnapshotSink, error) {
	s.activities.mu.Lock()
	own := s.activities.unwritten > 0
	if own {
		s.activities.unwritten--
	}
	s.activities.mu.Unlock()
	sink, err := s.SnapshotStore.Create(version, index, term, members, membersIndex, transport)
	if err != nil {
		return sink, err
	}
	end := func() {}
	if !own {
		end = s.activities.begin(Work{Activity: ReceivingSnapshot})
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

// watchedTransport reports when a snapshot is sent.
type watchedTransport struct {
	Transport
	activities *activities
}

func (t watchedTransport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress,
	args *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	defer t.activities.begin(Work{Activity: SendingSnapshot, To: string(id)})()
	return t.Transport.InstallSnapshot(id, target, args, resp, data)
}
