package raftfix

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Stall measures how long Raft waits for the disk, and blocks the messages of a leader whose disk
// hangs. It is safe for concurrent use.
//
// Bug: a leader whose main loop waits for its disk accepts no entries and does not check its lease.
// But it still sends heartbeats, from other goroutines, so no other node starts an election.
// Workaround: once a disk call takes longer than patience, nothing is sent until the disk responds.
type Stall struct {
	patience time.Duration

	mu    sync.Mutex
	calls int       // in progress
	since time.Time // when the first of them started
}

// NewStall returns a stall that allows a disk call to take patience.
func NewStall(patience time.Duration) *Stall { return &Stall{patience: patience} }

// Log returns a log whose writes are measured.
func (s *Stall) Log(inner raft.LogStore) raft.LogStore { return timedLog{monotonic{inner}, s} }

// Stable returns a store whose writes are measured.
func (s *Stall) Stable(inner raft.StableStore) raft.StableStore { return timedStable{inner, s} }

// Transport returns a transport that sends no entries or heartbeats while the disk hangs.
func (s *Stall) Transport(inner Transport) Transport { return stallTransport{inner, s} }

func (s *Stall) begin() (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == 0 {
		s.since = time.Now()
	}
	s.calls++
	return s.end
}

func (s *Stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
}

// err returns the error of a call while the disk hangs, otherwise nil.
func (s *Stall) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == 0 {
		return nil
	}
	if waited := time.Since(s.since); waited > s.patience {
		return &stalledError{waited}
	}
	return nil
}

// stalledError is a net.Error, so the transport above (Blocking) treats it as an unreachable peer and
// waits until the disk responds.
type stalledError struct{ waited time.Duration }

func (e *stalledError) Error() string {
	return fmt.Sprintf("the disk has not answered for %v: a leader that cannot store sends nothing", e.waited)
}
func (e *stalledError) Timeout() bool   { return true }
func (e *stalledError) Temporary() bool { return true }

type timedLog struct {
	monotonic
	stall *Stall
}

func (l timedLog) StoreLog(log *raft.Log) error {
	defer l.stall.begin()()
	return l.LogStore.StoreLog(log)
}

func (l timedLog) StoreLogs(logs []*raft.Log) error {
	defer l.stall.begin()()
	return l.LogStore.StoreLogs(logs)
}

func (l timedLog) DeleteRange(from, to uint64) error {
	defer l.stall.begin()()
	return l.LogStore.DeleteRange(from, to)
}

type timedStable struct {
	raft.StableStore
	stall *Stall
}

func (s timedStable) Set(key, value []byte) error {
	defer s.stall.begin()()
	return s.StableStore.Set(key, value)
}

func (s timedStable) SetUint64(key []byte, value uint64) error {
	defer s.stall.begin()()
	return s.StableStore.SetUint64(key, value)
}

type stallTransport struct {
	transport
	stall *Stall
}

func (t stallTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if err := t.stall.err(); err != nil {
		return err
	}
	return t.transport.AppendEntries(id, target, args, resp)
}
