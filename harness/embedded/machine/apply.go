package machine

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
)

// Machine is what Raft drives.
var _ raft.BatchingFSM = (*Machine)(nil)

// Response is what applying one entry came to: results, one a statement, or an
// error that every node has found the same. A *FailedError is this node's own.
type Response struct {
	Results []Result
	Err     error
}

// Apply applies one entry. Its answer is a Response.
func (m *Machine) Apply(log *raft.Log) any { return m.ApplyBatch([]*raft.Log{log})[0] }

// ApplyBatch applies entries in order, as one SQLite transaction. Each answer
// is a Response.
func (m *Machine) ApplyBatch(logs []*raft.Log) []any {
	out := make([]any, len(logs))
	responses, err := m.applyBatch(logs)
	if err != nil {
		if !errors.Is(err, ErrClosed) {
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

// applyBatch returns an error only for what the node's surroundings did.
//
// INSERT OR ROLLBACK, when it fails, ends the whole transaction and so undoes
// the entries before it. The batch is then begun anew without that entry,
// whose answer is known.
func (m *Machine) applyBatch(logs []*raft.Log) ([]Response, error) {
	if err := m.stopped(); err != nil {
		return nil, err
	}
	entries, err := m.decode(logs)
	if err != nil {
		return nil, err
	}
	responses := make([]Response, len(logs))
	ended := make([]bool, len(logs)) // the entries that ended the transaction
	for {
		again, err := m.tryBatch(logs, entries, responses, ended)
		if err != nil {
			return nil, errors.Join(err, m.abandon())
		}
		if !again {
			m.latest = entries[len(entries)-1].Time
			return responses, nil
		}
		if err := m.loadOlder(m.writer); err != nil { // which is as it was before the batch
			return nil, err
		}
	}
}

// decode decodes a batch; what is no entry is a mark. Each has the latest time of
// any up to it in the log, whatever becomes of them: every node comes to the same,
// however its batches are cut.
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

func (m *Machine) tryBatch(logs []*raft.Log, entries []Entry, responses []Response, ended []bool) (again bool, err error) {
	if err := m.writer.Trusted("BEGIN IMMEDIATE"); err != nil {
		return false, fmt.Errorf("begin batch at log index %d: %w", logs[0].Index, err)
	}
	for i, log := range logs {
		if err := m.forget(log, entries[i].Time); err != nil {
			return false, fmt.Errorf("forget what is old at log index %d: %w", log.Index, err)
		}
		if ended[i] {
			continue
		}
		responses[i], err = m.applyOne(log, entries[i])
		if err != nil {
			return false, fmt.Errorf("apply log index %d: %w", log.Index, err)
		}
		if !m.writer.InTransaction() {
			ended[i] = true
			return true, nil
		}
	}
	last := logs[len(logs)-1]
	if err := m.markApplied(last, entries[len(entries)-1]); err != nil {
		return false, err
	}
	if err := m.writer.Trusted("COMMIT"); err != nil {
		return false, fmt.Errorf("commit batch at log index %d: %w", last.Index, err)
	}
	return false, nil
}

func (m *Machine) abandon() error {
	if !m.writer.InTransaction() {
		return nil
	}
	return m.writer.Trusted("ROLLBACK")
}

// markApplied notes how far the database is. It also gives changes() and
// last_insert_rowid() the same start for every entry, on nodes that have been
// up for long and on nodes that have just begun.
func (m *Machine) markApplied(log *raft.Log, entry Entry) error {
	err := m.writer.Trusted("REPLACE INTO rejoin_applied VALUES (1, ?, ?, ?)", int64(log.Index), int64(log.Term), entry.Time)
	if err != nil {
		return fmt.Errorf("note log index %d as applied: %w", log.Index, err)
	}
	return nil
}

func (m *Machine) applyOne(log *raft.Log, entry Entry) (Response, error) {
	if entry.Mark() {
		return Response{}, nil
	}
	if err := m.markApplied(log, entry); err != nil {
		return Response{}, err
	}
	if _, err := m.writer.Lookup("SAVEPOINT entry"); err != nil {
		return Response{}, err
	}
	results, err := m.once(log, entry)
	switch {
	case err == nil:
		_, err := m.writer.Lookup("RELEASE entry")
		return Response{Results: results}, err
	case sqlite.Environmental(err):
		return Response{}, err
	case m.writer.InTransaction():
		if err := m.writer.Trusted("ROLLBACK TO entry; RELEASE entry"); err != nil {
			return Response{}, err
		}
	}
	return Response{Err: err}, nil
}

// once executes an entry, unless its request has been applied before.
func (m *Machine) once(log *raft.Log, entry Entry) ([]Result, error) {
	if results, found, err := m.recall(entry); found || err != nil {
		return results, err
	}
	m.writer.SetNow(entry.when())
	m.writer.SetRandom(log.Index^log.Term<<48, uint64(entry.Time))
	m.writer.SetBudget(m.options.Budget)
	results, err := m.execute(entry)
	m.writer.SetBudget(0)
	if err != nil {
		return nil, err
	}
	if m.writer.DeferredViolations() {
		return nil, errForeignKey
	}
	return results, m.remember(log, entry, results)
}

var errForeignKey = errors.New("FOREIGN KEY constraint failed")
