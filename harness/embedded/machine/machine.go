package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Options must be the same on all nodes of a cluster: a request that exceeds a limit is refused
// by every node or by none. The zero value uses the defaults.
type Options struct {
	// Budget is the maximum number of steps of SQLite's virtual machine for one entry; default
	// 100 million. A step takes about 10 ns. Compiling, allocating memory and processing long
	// values cost steps too: see sqlite.Conn.Begin.
	Budget int64
	// Memory is the maximum memory of one entry's statements at any time, in bytes: intermediate
	// values, sorting, DISTINCT, and the pages kept to undo the entry; default 96 MiB.
	Memory int64
	// AnswerLimit is the maximum size of the answer to a request that changes data, rows and
	// column names, in bytes; default 16 MiB.
	AnswerLimit int64
	// ReadBudget is the maximum number of steps of one read; default 400 million.
	ReadBudget int64
	// ReadMemory is the maximum memory of one read at any time, in bytes; default 64 MiB.
	ReadMemory int64
	// Readers is the maximum number of concurrent reads; default 8.
	Readers int
	// Skip lists entries that are refused without being executed. An operator uses it for an
	// entry that stops every node that applies it. It must be the same on all nodes, and be set
	// before any node has applied the entries.
	Skip []Skipped
	// Observe, if not nil, is called with the cost of each entry whose statements succeeded. If
	// the entry was applied alone, its cost is the same on every node. An entry may be applied,
	// and observed, twice. It is committed after Observe returns.
	Observe func(index uint64, cost sqlite.Cost, alone bool)
}

// WithDefaults returns the options with every zero field replaced by its default.
func (o Options) WithDefaults() Options {
	for _, limit := range []struct {
		value     *int64
		otherwise int64
	}{
		{&o.Budget, 100_000_000}, {&o.Memory, 96 << 20}, {&o.AnswerLimit, 16 << 20},
		{&o.ReadBudget, 400_000_000}, {&o.ReadMemory, 64 << 20},
	} {
		if *limit.value == 0 {
			*limit.value = limit.otherwise
		}
	}
	if o.Readers == 0 {
		o.Readers = 8
	}
	return o
}

// ErrClosed is returned by all methods after Close.
var ErrClosed = errors.New("the state machine is closed")

// FailedError says that the machine has stopped permanently, why, and what the operator must do.
// After a full disk the node needs free space and a restart, and loses nothing.
type FailedError struct{ Cause error }

func (e *FailedError) Error() string {
	if sqlite.Full(e.Cause) {
		return fmt.Sprintf("this node's disk is full: free space on it and restart the node: %v", e.Cause)
	}
	return fmt.Sprintf("this node's database has failed and must be replaced: %v", e.Cause)
}

func (e *FailedError) Unwrap() error { return e.Cause }

// Machine is a SQLite database that only log entries change. Reads, waits and queries of its
// state are safe for concurrent use. Raft calls Apply, Snapshot and Restore from one goroutine at
// a time.
type Machine struct {
	options Options
	dir     string
	writer  *sqlite.Conn
	readers *readers
	ending  sync.Once
	latest  int64      // the latest time of an applied entry; used by Apply and Restore only
	writing sync.Mutex // guards writer in Apply, Restore and Diverge

	mu       sync.Mutex
	applied  uint64
	restores uint64
	skipped  []uint64
	failed   *FailedError
	closed   bool
	progress chan struct{} // closed and replaced when a field above changes
}

const databaseFile = "state.db"

// Open opens an empty machine in dir. It removes all earlier database files in dir: the state is
// rebuilt from Raft's log and snapshots.
func Open(dir string, options Options) (*Machine, error) {
	options = options.WithDefaults()
	leftovers, err := filepath.Glob(filepath.Join(dir, "*.db*"))
	if err != nil {
		return nil, fmt.Errorf("open state machine in %s: %w", dir, err)
	}
	for _, file := range leftovers {
		if err := os.Remove(file); err != nil {
			return nil, fmt.Errorf("open state machine: remove old database files: %w", err)
		}
	}
	path := filepath.Join(dir, databaseFile)
	writer, err := sqlite.Open(path, sqlite.Writer, bookkeeping)
	if err != nil {
		return nil, fmt.Errorf("open state machine in %s: %w", dir, err)
	}
	m := &Machine{
		options:  options,
		dir:      dir,
		writer:   writer,
		progress: make(chan struct{}),
	}
	m.readers = newReaders(path, options.Readers, func(err error) error { return m.fail(fmt.Errorf("read: %w", err)) })
	return m, nil
}

// bookkeeping creates the database's own tables: its progress in the log and in time, its
// namespaces and their objects, and the recent requests with their answers.
const bookkeeping = `BEGIN;
	CREATE TABLE rejoin_applied (id INTEGER PRIMARY KEY, log_index INTEGER NOT NULL, log_term INTEGER NOT NULL, latest_time INTEGER NOT NULL);
	CREATE TABLE rejoin_namespaces (name TEXT PRIMARY KEY) WITHOUT ROWID;
	CREATE TABLE rejoin_objects (type TEXT NOT NULL, name TEXT NOT NULL, namespace TEXT NOT NULL, PRIMARY KEY (name, type)) WITHOUT ROWID;
	INSERT INTO rejoin_applied VALUES (1, 0, 0, 0);` + requestTables + `
	COMMIT;`

// Interrupt ends the work in progress: the current entry and later entries are not applied, and
// reads end. The caller must call Close afterwards. Interrupt does not block.
func (m *Machine) Interrupt() {
	m.end()
	m.readers.interrupt()
}

// end stops new work and interrupts the current entry.
func (m *Machine) end() {
	m.ending.Do(func() {
		m.mu.Lock()
		m.closed = true
		m.announceLocked()
		m.mu.Unlock()
		m.writer.Interrupt()
	})
}

// Close waits for reads in progress to end, then closes the database. The files stay until the
// next Open removes them. Close may be called more than once.
func (m *Machine) Close() error {
	m.end()
	return errors.Join(m.readers.close(), m.writer.Close())
}

// Applied returns the index of the last entry whose effects are visible to reads.
func (m *Machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
}

// Restores returns the number of snapshots restored since Open.
func (m *Machine) Restores() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.restores
}

// Failed returns a *FailedError if the machine has stopped permanently, or nil.
func (m *Machine) Failed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		return nil
	}
	return m.failed
}

// stopped returns why the machine is unusable, or nil.
func (m *Machine) stopped() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stoppedLocked()
}

func (m *Machine) stoppedLocked() error {
	switch {
	case m.closed:
		return ErrClosed
	case m.failed != nil:
		return m.failed
	}
	return nil
}

// WaitApplied blocks until the entry at index is applied, the machine has failed or is closed, or
// ctx ends.
func (m *Machine) WaitApplied(ctx context.Context, index uint64) error {
	for {
		m.mu.Lock()
		applied, stopped, progress := m.applied, m.stoppedLocked(), m.progress
		m.mu.Unlock()
		switch {
		case stopped != nil:
			return stopped
		case applied >= index:
			return nil
		}
		select {
		case <-progress:
		case <-ctx.Done():
			return fmt.Errorf("waiting for log index %d to be applied, last seen %d: %w", index, applied, context.Cause(ctx))
		}
	}
}

func (m *Machine) setApplied(index uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applied = index
	m.announceLocked()
}

func (m *Machine) setRestored(index uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.applied = index
	m.restores++
	m.announceLocked()
}

// Fail stops the machine permanently because a component below it has failed. Only the first
// cause is kept.
func (m *Machine) Fail(cause error) { _ = m.fail(cause) }

// fail is Fail that returns the resulting error.
func (m *Machine) fail(cause error) *FailedError {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		m.failed = &FailedError{Cause: cause}
		m.announceLocked()
	}
	return m.failed
}

func (m *Machine) announceLocked() {
	close(m.progress)
	m.progress = make(chan struct{})
}
