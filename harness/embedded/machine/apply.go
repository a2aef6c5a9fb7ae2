package machine

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Machine is Raft's finite state machine.
var _ raft.BatchingFSM = (*Machine)(nil)

// Response is the result of applying one entry: one Result per statement, or an error that is the
// same on every node. Only a *FailedError is specific to this node.
type Response struct {
	Results []Result
	Err     error
}

// Apply applies one entry. It returns a Response.
func (m *Machine) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

// ApplyBatch applies entries in order, as one SQLite transaction. Each returned value is a
// Response. It blocks until the transaction is committed.
func (m *Machine) ApplyBatch(logs []*raft.Log) []any {
	m.writing.Lock()
	defer m.writing.Unlock()
	out := make([]any, len(logs))
	responses, err := m.applyBatch(logs)
	if err != nil {
		switch {
		case errors.Is(err, sqlite.ErrInterrupted):
			err = ErrClosed
		case !errors.Is(err, ErrClosed):
			err = m.fail(err)
		}
		for i := range out {
			out[i] = Response{Err: err}
		}
		return out
	}
	for i, r := range responses {
		out[i] = r
	}
	m.setApplied(logs[len(logs)-1].Index)
	return out
}

// applyBatch returns an error only for failures of the node's environment: disk, memory or
// shutdown.
func (m *Machine) applyBatch(logs []*raft.Log) ([]Response, error) {
	if err := m.stopped(); err != nil {
		return nil, err
	}
	entries, err := m.decode(logs)
	if err != nil {
		return nil, err
	}
	b := &batch{logs: logs, entries: entries, responses: make([]Response, len(logs)), last: len(logs), alone: none}
	for next := 0; next < len(logs); {
		if next, err = m.transact(b, next); err != nil {
			return nil, errors.Join(err, m.rollback())
		}
	}
	m.latest = entries[len(entries)-1].Time
	return b.responses, nil
}

// batch is the state of a batch while it is applied. A batch is normally one transaction.
//
// It becomes several transactions for two reasons. A failing entry may end the whole transaction
// and thereby undo the entries before it, as INSERT OR ROLLBACK and exceeded limits do. And
// whether an expensive entry exceeds a limit must not depend on the entries before it in the same
// transaction. Such an entry is applied again in a transaction of its own, and only that result
// counts. The entries before it form another transaction.
type batch struct {
	logs      []*raft.Log
	entries   []Entry
	responses []Response
	last      int // end of the current transaction, exclusive
	alone     int // entry to apply in its own transaction, or none
}

const none = -1

// decode decodes a batch. Log entries that are not commands become marks. Each entry gets the
// latest time of all entries up to it in the log, whether or not they succeed, so the result does
// not depend on how the log is cut into batches.
func (m *Machine) decode(logs []*raft.Log) ([]Entry, error) {
	entries := make([]Entry, len(logs))
	latest := m.latest
	for i, log := range logs {
		if log.Type == raft.LogCommand {
			entry, err := Decode(log.Data)
			if err != nil {
				return nil, fmt.Errorf("apply log index %d: %w", log.Index, err)
			}
			entries[i] = entry
		}
		latest = max(latest, entries[i].Time)
		entries[i].Time = latest
	}
	return entries, nil
}

// transact applies entries from first on as one transaction. It returns the index at which the
// next transaction begins.
func (m *Machine) transact(b *batch, first int) (next int, err error) {
	if b.alone == first {
		b.last, b.alone = len(b.logs), none
		return first + 1, m.applyAlone(b, first)
	}
	if err := m.begin(b.logs[first]); err != nil {
		return first, err
	}
	for i := first; i < b.last; i++ {
		if err := m.forget(b.logs[i], b.entries[i].Time); err != nil {
			return first, err
		}
		var again bool
		b.responses[i], again, err = m.applyOne(b.logs[i], b.entries[i], false)
		switch {
		case err != nil:
			return first, applying(b.logs[i], err)
		case !m.writer.InTransaction():
			b.last, b.alone = i, i
			return first, nil
		case again:
			b.last, b.alone = i, i
		}
	}
	if b.last == first {
		return first, m.rollback()
	}
	return b.last, m.commit(b.logs[b.last-1], b.entries[b.last-1])
}

// applyAlone applies one entry in its own transaction. The state of the database connection is
// then the same on every node.
func (m *Machine) applyAlone(b *batch, i int) (err error) {
	if err := m.beginAt(b, i); err != nil {
		return err
	}
	if b.responses[i], _, err = m.applyOne(b.logs[i], b.entries[i], true); err != nil {
		return applying(b.logs[i], err)
	}
	if !m.writer.InTransaction() { // the entry ended the transaction and undid the earlier changes
		if err := m.beginAt(b, i); err != nil {
			return err
		}
	}
	return m.commit(b.logs[i], b.entries[i])
}

// beginAt begins a transaction and does the work that precedes an entry.
func (m *Machine) beginAt(b *batch, i int) error {
	if err := m.begin(b.logs[i]); err != nil {
		return err
	}
	return m.forget(b.logs[i], b.entries[i].Time)
}

func (m *Machine) begin(log *raft.Log) error {
	if _, err := m.writer.Lookup("BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin a transaction at log index %d: %w", log.Index, err)
	}
	return nil
}

func (m *Machine) commit(log *raft.Log, entry Entry) error {
	if err := m.markApplied(log, entry); err != nil {
		return err
	}
	if _, err := m.writer.Lookup("COMMIT"); err != nil {
		return fmt.Errorf("commit up to log index %d: %w", log.Index, err)
	}
	return nil
}

func applying(log *raft.Log, err error) error {
	return fmt.Errorf("apply log index %d: %w (entry digest %s)", log.Index, err, EntryDigest(log))
}

func (m *Machine) rollback() error {
	if !m.writer.InTransaction() {
		return nil
	}
	return m.writer.Trusted("ROLLBACK")
}

// markApplied records the applied index, term and time. It also gives changes() and
// last_insert_rowid() the same initial value for every entry, on long-running and on restarted
// nodes.
func (m *Machine) markApplied(log *raft.Log, entry Entry) error {
	err := m.writer.Trusted("REPLACE INTO rejoin_applied VALUES (1, ?, ?, ?)", int64(log.Index), int64(log.Term), entry.Time)
	if err != nil {
		return fmt.Errorf("record log index %d as applied: %w", log.Index, err)
	}
	return nil
}

// applyOne applies one entry as a savepoint. It returns again if the entry costs so much that it
// must be applied alone. The entry has then changed nothing.
func (m *Machine) applyOne(log *raft.Log, entry Entry, alone bool) (response Response, again bool, err error) {
	if entry.Mark() {
		return Response{}, false, nil
	}
	if skip, err := m.shouldSkip(log); err != nil {
		return Response{}, false, err
	} else if skip {
		m.recordSkipped(log.Index)
		return Response{Err: ErrSkipped}, false, nil
	}
	if _, err := m.writer.Lookup("SAVEPOINT entry"); err != nil {
		return Response{}, false, err
	}
	// SQLite opens a savepoint lazily, at the first write in it. This write bears that cost, so that
	// the entry's statements do not.
	if err := m.markApplied(log, entry); err != nil {
		return Response{}, false, err
	}
	results, much, err := m.once(log, entry, alone)
	again = much && !alone
	switch {
	case sqlite.Environmental(err):
		return Response{}, false, err
	case err == nil && !again:
		_, err := m.writer.Lookup("RELEASE entry")
		return Response{Results: results}, false, err
	case m.writer.InTransaction():
		if err := m.writer.Trusted("ROLLBACK TO entry; RELEASE entry"); err != nil {
			return Response{}, false, err
		}
	}
	return Response{Err: err}, again, nil
}

// once executes an entry, unless its request was applied before. It returns whether the entry
// used more than half of its limits.
func (m *Machine) once(log *raft.Log, entry Entry, alone bool) (results []Result, much bool, err error) {
	if results, found, err := m.recall(entry); found || err != nil {
		return results, false, err
	}
	if alone {
		if err := m.writer.Fresh(); err != nil {
			return nil, false, err
		}
	}
	m.writer.SetNow(entry.when())
	m.writer.SetRandom(log.Index^log.Term<<48, uint64(entry.Time))
	if err := m.writer.Begin(m.options.Budget, m.options.Memory); err != nil {
		return nil, false, err
	}
	results, err = m.execute(entry)
	cost := m.writer.End()
	if much = cost.Steps > m.options.Budget/2 || cost.Memory > m.options.Memory/2; much && !alone {
		return nil, true, err
	}
	if err != nil {
		return nil, much, err
	}
	if m.options.Observe != nil {
		m.options.Observe(log.Index, cost, alone)
	}
	if m.writer.DeferredViolations() {
		return nil, much, errForeignKey
	}
	return results, much, m.remember(log, entry, results)
}

var errForeignKey = errors.New("FOREIGN KEY constraint failed")
