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

// Options are what all nodes of a cluster must agree on: a request that is over
// a limit is refused by every node, or by none. The zero value works.
type Options struct {
	// Budget is how many steps of SQLite's virtual machine one entry may take; 100
	// million if 0. A step takes about 10 ns. Compiling, allocating memory and
	// looking at long values cost steps, too: see sqlite.Conn.Begin.
	Budget int64
	// Memory is how many bytes the statements of one entry may hold at once: values
	// under way, what is sorted or made distinct, and the pages that are kept in case
	// the entry fails; 96 MiB if 0.
	Memory int64
	// AnswerLimit bounds the answer of a request that changes data, rows and the
	// names of columns, in bytes; 16 MiB if 0.
	AnswerLimit int64
	// ReadBudget is how many steps one read may take; 400 million if 0.
	ReadBudget int64
	// ReadMemory is how many bytes one read may hold at once; 64 MiB if 0.
	ReadMemory int64
	// Readers bounds how many reads are served at once; 8 if 0.
	Readers int
	// Skip are entries that are refused unseen: what an operator does about an entry
	// that stops every node which applies it. They must be the same on all nodes, and
	// given before any node has applied them.
	Skip []Skipped
	// Observe is told what an entry took whose statements succeeded, and whether it was
	// applied alone: what it took is the same on every node then. Not called if nil. An
	// entry may be applied, and told of, twice. It is not committed before Observe returns.
	Observe func(index uint64, cost sqlite.Cost, alone bool)
}

// WithDefaults returns the options with every zero replaced.
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

// ErrClosed is returned by everything after Close.
var ErrClosed = errors.New("the state machine is closed")

// FailedError says that the machine has stopped for good, why, and what is to be done:
// a disk that was full needs room, and the node then has all that it had.
type FailedError struct{ Cause error }

func (e *FailedError) Error() string {
	if sqlite.Full(e.Cause) {
		return fmt.Sprintf("this node's disk is full: it needs room, and the node then to be started again: %v", e.Cause)
	}
	return fmt.Sprintf("this node's database has failed and must be replaced: %v", e.Cause)
}

func (e *FailedError) Unwrap() error { return e.Cause }

// Machine is a SQLite database that is changed by log entries only. Reads,
// waits and questions may come from any goroutine; Apply, Snapshot and Restore
// come from one at a time, as Raft promises.
type Machine struct {
	options Options
	dir     string
	writer  *sqlite.Conn
	readers *readers
	ending  sync.Once
	latest  int64      // the latest time of an entry so far; Apply's and Restore's own
	writing sync.Mutex // who uses writer: Apply, Restore, Diverge

	mu       sync.Mutex
	applied  uint64
	restores uint64
	skipped  []uint64
	failed   *FailedError
	closed   bool
	progress chan struct{} // closed and replaced when something above changes
}

const databaseFile = "state.db"

// Open opens an empty machine in dir. Whatever state an earlier life left there
// is removed: Raft's log and snapshots are what lasts, the database is rebuilt
// from them.
func Open(dir string, options Options) (*Machine, error) {
	options = options.WithDefaults()
	leftovers, err := filepath.Glob(filepath.Join(dir, "*.db*"))
	if err != nil {
		return nil, fmt.Errorf("open state machine in %s: %w", dir, err)
	}
	for _, file := range leftovers {
		if err := os.Remove(file); err != nil {
			return nil, fmt.Errorf("open state machine: remove what an earlier life left: %w", err)
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

// bookkeeping are the database's own tables: how far it is in the log and in
// time, its namespaces and what is in them, and the latest requests with their answers (memory).
const bookkeeping = `BEGIN;
	CREATE TABLE rejoin_applied (id INTEGER PRIMARY KEY, log_index INTEGER NOT NULL, log_term INTEGER NOT NULL, latest_time INTEGER NOT NULL);
	CREATE TABLE rejoin_namespaces (name TEXT PRIMARY KEY) WITHOUT ROWID;
	CREATE TABLE rejoin_objects (type TEXT NOT NULL, name TEXT NOT NULL, namespace TEXT NOT NULL, PRIMARY KEY (name, type)) WITHOUT ROWID;
	INSERT INTO rejoin_applied VALUES (1, 0, 0, 0);` + memory + `
	COMMIT;`

// Interrupt ends what the machine is at: the entry under way is not applied, nor is
// any after it, and reads end. Close must follow. It does not block.
func (m *Machine) Interrupt() {
	m.end()
	m.readers.interrupt()
}

// end lets nothing more begin, and ends the entry under way.
func (m *Machine) end() {
	m.ending.Do(func() {
		m.mu.Lock()
		m.closed = true
		m.announceLocked()
		m.mu.Unlock()
		m.writer.Interrupt()
	})
}

// Close waits for reads under way to end, then closes the database. The files
// stay; the next Open removes them. It is safe to call twice.
func (m *Machine) Close() error {
	m.end()
	return errors.Join(m.readers.close(), m.writer.Close())
}

// Applied is the index of the last entry whose effects can be read.
func (m *Machine) Applied() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.applied
}

// Restores counts the snapshots restored since Open.
func (m *Machine) Restores() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.restores
}

// Failed returns why the machine has stopped, or nil.
func (m *Machine) Failed() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		return nil
	}
	return m.failed
}

// stopped returns why nothing more can be done with the machine, or nil.
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

// WaitApplied blocks until the entry at index is applied, the machine has
// failed or is closed, or ctx ends.
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

// Fail stops the machine for good: what it stands on has failed.
func (m *Machine) Fail(cause error) { _ = m.fail(cause) }

// fail stops the machine for good.
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
