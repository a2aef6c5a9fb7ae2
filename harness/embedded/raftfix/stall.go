package raftfix

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// Stall measures how long the disk keeps Raft waiting, and silences a leader whose disk hangs.
// It is safe for concurrent use.
//
// Fault: a leader whose main loop waits for its disk takes in nothing, and does not check that
// a quorum still follows it. But Raft still sends its heartbeats, on other goroutines, so that
// no other node begins an election. Mend: after patience nothing is sent until the disk is back.
type Stall struct {
	patience time.Duration

	mu    sync.Mutex
	calls int       // under way
	since time.Time // when the first of them began
}

// NewStall returns a stall that lets the disk take patience for a call.
func NewStall(patience time.Duration) *Stall { return &Stall{patience: patience} }

// Log returns a log whose changes are measured.
func (s *Stall) Log(inner raft.LogStore) raft.LogStore { return timedLog{monotonic{inner}, s} }

// Stable returns a store whose changes are measured.
func (s *Stall) Stable(inner raft.StableStore) raft.StableStore { return timedStable{inner, s} }

// Transport returns a transport that sends no entries and heartbeats while the disk hangs.
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

// err is why nothing is sent, or nil.
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

// stalledError is an error of the network to the transport above, which then waits until the
// disk is back.
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
