package embedded

import (
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// stall watches how long the disk has kept Raft waiting. A leader whose disk hangs
// cannot lead: it takes nothing in, and does not even look whether a quorum still
// follows it. But Raft (1.8.0) goes on sending for it, on other goroutines, and so
// keeps everybody from electing another. So after patience nothing is sent any
// more until the disk is back.
type stall struct {
	patience time.Duration

	mu    sync.Mutex
	calls int       // under way
	since time.Time // when the first of them began
}

// stallTimeouts is how many election timeouts a leader's disk may take: many more
// than one, because a disk that others share is slow now and then.
const stallTimeouts = 10

func (s *stall) begin() (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == 0 {
		s.since = time.Now()
	}
	s.calls++
	return s.end
}

func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls--
}

// err is why nothing is to be sent, or nil.
func (s *stall) err() error {
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

// stalledError is an error of the network to those above, so that they wait until
// it is over.
type stalledError struct{ waited time.Duration }

func (e *stalledError) Error() string {
	return fmt.Sprintf("the disk has not answered for %v: a node that cannot store leads nobody", e.waited)
}
func (e *stalledError) Timeout() bool   { return true }
func (e *stalledError) Temporary() bool { return true }

// timedLog tells the stall about calls that wait for the disk.
type timedLog struct {
	raft.LogStore
	stall *stall
}

var _ raft.MonotonicLogStore = timedLog{}

func (l timedLog) IsMonotonic() bool {
	inner, is := l.LogStore.(raft.MonotonicLogStore)
	return is && inner.IsMonotonic()
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

// timedStable tells it about the others.
type timedStable struct {
	raft.StableStore
	stall *stall
}

func (s timedStable) Set(key, value []byte) error {
	defer s.stall.begin()()
	return s.StableStore.Set(key, value)
}

func (s timedStable) SetUint64(key []byte, value uint64) error {
	defer s.stall.begin()()
	return s.StableStore.SetUint64(key, value)
}

// timedTransport sends nothing while the disk hangs.
type timedTransport struct {
	transport
	stall *stall
}

func (t timedTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if err := t.stall.err(); err != nil {
		return err
	}
	return t.transport.AppendEntries(id, target, args, resp)
}
