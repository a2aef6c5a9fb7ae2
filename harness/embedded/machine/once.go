package machine

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// How long a request is known by its ID. Time is the log's time (Entry.Time), so that every node
// forgets a request at the same entry.
//
// A key, chosen by a client, is known for RememberedFor, and for at least Remembered further
// entries regardless of the leaders' clocks. Both hold at any rate up to RememberedMost entries
// per RememberedFor, about 16,000 per second. RememberedMost limits the table when time stands
// still because a leader's clock was ahead.
//
// A key needs about 100 bytes in the database and at most 500: about 40 MB at 6,700 entries per
// second. A ticket is only sent again by one node, within its WriteTimeout, and needs about 60
// bytes.
const (
	Remembered      = 10_000 // entries
	RememberedFor   = time.Minute
	RememberedMost  = 1_000_000 // entries
	rememberTickets = 65_536    // entries
	// forgetEvery is the interval at which old requests are removed, in entries.
	forgetEvery = 64
)

// How much of an answer is stored for a repeated request, in bytes. An answer of up to
// smallAnswer is stored as long as its ID. An answer of up to largeAnswer is stored while all of
// these fit in answersRoom. Larger ones are not stored.
const (
	smallAnswer = 128
	largeAnswer = 64 << 10
	answersRoom = 16 << 20
)

// requestTables creates the tables of requests with an ID. Keys and tickets have separate tables,
// so that they cannot collide.
const requestTables = `
	CREATE TABLE rejoin_requests (log_index INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, answer BLOB, large INTEGER, ` +
	`time INTEGER NOT NULL, digest BLOB NOT NULL);
	CREATE TABLE rejoin_tickets (log_index INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, answer BLOB, large INTEGER);
	CREATE TABLE rejoin_answers (ends INTEGER PRIMARY KEY, answer BLOB NOT NULL);`

// errAnswerGone is the response to a repeated request whose answer is not stored.
var errAnswerGone = errors.New("the request was applied before; its answer was too large to be kept")

// AppliedError says that the request was applied by an earlier entry but its answer is no longer
// available.
type AppliedError struct{ Err error }

func (e *AppliedError) Error() string { return e.Err.Error() }
func (e *AppliedError) Unwrap() error { return e.Err }

// ReusedError says that the request's key was used for a different request, which was applied.
// This one was not.
type ReusedError struct{ ID string }

func (e *ReusedError) Error() string {
	return fmt.Sprintf("the key %q names another request, which was applied with different SQL or parameters; "+
		"this request was not applied", e.ID)
}

// recall returns the stored results of an earlier entry with the same ID or ticket.
func (m *Machine) recall(entry Entry) (results []Result, found bool, err error) {
	switch {
	case entry.ID != "":
		return m.recallKey(entry)
	case entry.Ticket != nil:
		return m.answerOf("rejoin_tickets", "SELECT log_index FROM rejoin_tickets WHERE id = ?", entry.Ticket)
	}
	return nil, false, nil
}

func (m *Machine) recallKey(entry Entry) (results []Result, found bool, err error) {
	digest, err := m.writer.Lookup("SELECT digest FROM rejoin_requests WHERE id = ?", entry.ID)
	if digest == nil || err != nil {
		return nil, false, err
	}
	if asked := entry.digest(); !bytes.Equal(digest.([]byte), asked[:]) {
		return nil, true, &ReusedError{entry.ID}
	}
	return m.answerOf("rejoin_requests", "SELECT log_index FROM rejoin_requests WHERE id = ?", entry.ID)
}

// answerOf returns the answer stored for the row of table that the query find selects by id.
func (m *Machine) answerOf(table, find string, id any) (results []Result, found bool, err error) {
	index, err := m.writer.Lookup(find, id)
	if index == nil || err != nil {
		return nil, false, err
	}
	kept, err := m.writer.Lookup("SELECT answer FROM "+table+" WHERE log_index = ?", index)
	if kept == nil && err == nil {
		kept, err = m.writer.Lookup("SELECT a.answer FROM "+table+" JOIN rejoin_answers a ON a.ends = large WHERE log_index = ?", index)
	}
	switch {
	case err != nil:
		return nil, false, err
	case kept == nil:
		return nil, true, &AppliedError{errAnswerGone}
	}
	if err := decoding.Unmarshal(kept.([]byte), &results); err != nil {
		return nil, false, fmt.Errorf("decode the stored answer of log index %d: %w", index, err)
	}
	return results, true, nil
}

// remember stores the answer for repetitions of the request.
func (m *Machine) remember(log *raft.Log, entry Entry, results []Result) error {
	if entry.ID == "" && entry.Ticket == nil {
		return nil
	}
	answer, err := encoding.Marshal(results)
	if err != nil {
		return err
	}
	small, large, err := m.keep(answer)
	switch {
	case err != nil:
		return err
	case entry.ID == "":
		return m.writer.Trusted("INSERT INTO rejoin_tickets VALUES (?, ?, ?, ?)", int64(log.Index), entry.Ticket, small, large)
	}
	digest := entry.digest()
	return m.writer.Trusted("INSERT INTO rejoin_requests VALUES (?, ?, ?, ?, ?, ?)",
		int64(log.Index), entry.ID, small, large, entry.Time, digest[:])
}

// keep decides where an answer is stored: with its request (small), in rejoin_answers (large), or
// not at all. The value of large is the position at which the answer ends, in the bytes of all
// answers ever stored there. keep deletes the oldest answers to make room.
func (m *Machine) keep(answer []byte) (small, large any, err error) {
	switch {
	case len(answer) <= smallAnswer:
		return answer, nil, nil
	case len(answer) > largeAnswer:
		return nil, nil, nil
	}
	last, err := m.writer.Lookup("SELECT ifnull(max(ends), 0) FROM rejoin_answers")
	if err != nil {
		return nil, nil, err
	}
	ends := last.(int64) + int64(len(answer))
	if err := m.writer.Trusted("DELETE FROM rejoin_answers WHERE ends <= ?", ends-answersRoom+largeAnswer); err != nil {
		return nil, nil, err
	}
	return nil, ends, m.writer.Trusted("INSERT INTO rejoin_answers VALUES (?, ?)", ends, answer)
}

// forget removes old requests before an entry is applied. It depends on the log only. Times do
// not decrease along the log, so the first young request in doubt decides.
func (m *Machine) forget(log *raft.Log, now int64) error {
	if log.Index%forgetEvery != 0 || log.Type != raft.LogCommand {
		return nil
	}
	index := int64(log.Index)
	before := index - Remembered
	young, err := m.writer.Lookup("SELECT log_index FROM rejoin_requests WHERE log_index < ? AND time >= ? ORDER BY log_index LIMIT 1",
		before, now-RememberedFor.Milliseconds())
	if err != nil {
		return err
	}
	if young != nil {
		before = max(young.(int64), index-RememberedMost)
	}
	if err := m.writer.Trusted("DELETE FROM rejoin_requests WHERE log_index < ?", before); err != nil {
		return err
	}
	return m.writer.Trusted("DELETE FROM rejoin_tickets WHERE log_index < ?", index-rememberTickets)
}
