package embedded

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
)

// Bounds of memory in bytes. They bound what is read, sent and applied at once; a single
// entry may be larger, and then goes alone.
const (
	hollowFrom  = 4 << 10 // a command of at least so much data is handed to Raft without it
	appendBytes = 1 << 20 // of data in one AppendEntries
	applyAtOnce = 8 << 20 // of data in one SQLite transaction
	entryBeside = 64      // what an entry takes beside its data, about
)

// hollowLog is the log that Raft is given. A large command comes out of it without its
// data, which is read when it is sent or applied.
//
// Raft (1.8.0) counts entries and not bytes: for each follower that is behind it reads up
// to MaxAppendEntries of them before it sends the first, and holds them as long as the
// call takes. As many again wait for the state machine, 128 times over. With entries of
// megabytes that is gigabytes, and a call that cannot end in time.
//
// What an entry is without its data is known from when it was stored or first read.
type hollowLog struct {
	raft.LogStore
	weights *logWeights
	started *atomic.Bool // Raft has read what it begins with

	mu    sync.Mutex
	known map[uint64]raft.Log // large commands by index, without data
}

func newHollowLog(log raft.LogStore, started *atomic.Bool) *hollowLog {
	return &hollowLog{LogStore: log, weights: &logWeights{}, started: started, known: make(map[uint64]raft.Log)}
}

var _ raft.MonotonicLogStore = (*hollowLog)(nil)

// IsMonotonic tells whether the log takes no gaps.
func (h *hollowLog) IsMonotonic() bool {
	log, is := h.LogStore.(raft.MonotonicLogStore)
	return is && log.IsMonotonic()
}

func isLarge(entry *raft.Log) bool {
	return entry.Type == raft.LogCommand && len(entry.Data) >= hollowFrom
}

// GetLog reads an entry, a large command without its data.
func (h *hollowLog) GetLog(index uint64, entry *raft.Log) error {
	h.mu.Lock()
	known, is := h.known[index]
	h.mu.Unlock()
	if is {
		*entry = known
		return nil
	}
	if err := h.LogStore.GetLog(index, entry); err != nil {
		return err
	}
	if !h.started.Load() {
		h.weights.met(index, len(entry.Data))
	}
	if isLarge(entry) {
		entry.Data = nil
		h.mu.Lock()
		defer h.mu.Unlock()
		h.known[index] = *entry
	}
	return nil
}

// StoreLog is StoreLogs of one entry.
func (h *hollowLog) StoreLog(entry *raft.Log) error { return h.StoreLogs([]*raft.Log{entry}) }

// StoreLogs appends entries, which have their data.
func (h *hollowLog) StoreLogs(entries []*raft.Log) error {
	if err := h.LogStore.StoreLogs(entries); err != nil {
		return err
	}
	h.weights.stored(entries)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, entry := range entries {
		delete(h.known, entry.Index)
		if isLarge(entry) {
			known := *entry
			known.Data = nil
			h.known[entry.Index] = known
		}
	}
	return nil
}

// DeleteRange removes entries at the beginning or the end.
func (h *hollowLog) DeleteRange(from, to uint64) error {
	h.mu.Lock()
	for index := range h.known {
		if from <= index && index <= to {
			delete(h.known, index)
		}
	}
	h.mu.Unlock()
	h.weights.deleted(from, to)
	return h.LogStore.DeleteRange(from, to)
}

// errEntryGone is the error of an entry that is not in the log any more.
var errEntryGone = errors.New("the entry is not in the log any more")

// filled returns the first of the entries with their data, as many as fit into so many
// bytes and one at least. Index and term name an entry, so that what has taken its place
// is told apart.
func (h *hollowLog) filled(entries []*raft.Log, room int) ([]*raft.Log, error) {
	out := make([]*raft.Log, 0, len(entries))
	for _, entry := range entries {
		full, err := h.fill(entry)
		if err != nil {
			return nil, err
		}
		room -= len(full.Data) + entryBeside
		if room < 0 && len(out) > 0 {
			break
		}
		out = append(out, full)
	}
	return out, nil
}

func (h *hollowLog) fill(entry *raft.Log) (*raft.Log, error) {
	if entry.Type != raft.LogCommand || len(entry.Data) > 0 {
		return entry, nil
	}
	full := new(raft.Log)
	err := h.LogStore.GetLog(entry.Index, full)
	if err == nil && (full.Index != entry.Index || full.Term != entry.Term || full.Type != entry.Type) {
		err = errEntryGone
	}
	if err != nil {
		h.forget(entry.Index) // it may have been noted when it was just being deleted
		return nil, fmt.Errorf("read log index %d again: %w", entry.Index, err)
	}
	return full, nil
}

func (h *hollowLog) forget(index uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.known, index)
}

// boundedTransport sends entries with their data, and no more of it in one call than
// appendBytes.
type boundedTransport struct {
	transport
	log *hollowLog
}

// AppendEntries sends the first of the entries and leaves the others out of args: Raft
// takes what is in there for what was sent, and goes on behind it. No commit is told of
// beyond them, since what a follower has there need not be the leader's.
func (t boundedTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		return t.transport.AppendEntries(id, target, args, resp)
	}
	full, err := t.log.filled(args.Entries, appendBytes)
	if err != nil {
		return err // Raft looks again, and sends its snapshot if the log does not reach back any more
	}
	if len(full) < len(args.Entries) {
		args.Entries = args.Entries[:len(full)]
		args.LeaderCommitIndex = min(args.LeaderCommitIndex, full[len(full)-1].Index)
	}
	request := *args
	request.Entries = full
	return t.transport.AppendEntries(id, target, &request, resp)
}

// filledMachine is a state machine that is given entries with their data, and no more of
// it at once than applyAtOnce.
type filledMachine struct {
	guardedMachine
	log    *hollowLog
	broken *error // why nothing is applied any more; for the one goroutine that applies
}

var _ raft.BatchingFSM = filledMachine{}

func newFilledMachine(inner guardedMachine, log *hollowLog) filledMachine {
	return filledMachine{inner, log, new(error)}
}

// Apply applies one entry.
func (m filledMachine) Apply(entry *raft.Log) any { return m.ApplyBatch([]*raft.Log{entry})[0] }

// ApplyBatch applies the entries, in several batches if they are large. A committed entry
// that cannot be read ends this node: nothing behind it may be applied.
func (m filledMachine) ApplyBatch(entries []*raft.Log) []any {
	out := make([]any, 0, len(entries))
	for len(entries) > 0 && *m.broken == nil {
		full, err := m.log.filled(entries, applyAtOnce)
		if err != nil {
			*m.broken = err
			m.guard.fail(err)
			break
		}
		out = append(out, m.guardedMachine.ApplyBatch(full)...)
		entries = entries[len(full):]
	}
	for range entries {
		out = append(out, machine.Response{Err: &machine.FailedError{Cause: *m.broken}})
	}
	return out
}
