package machine

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// How long a request is known by its ID. Time is the log's (Entry.Time), so every
// node forgets at the same entry.
//
// A key, which a client has chosen, is known for RememberedFor, and at least while
// Remembered entries follow it, whatever the leaders' clocks do. Both hold at any rate
// up to RememberedMost entries in RememberedFor, some 16,000 a second. RememberedMost
// bounds the table where time stands still, because a leader's clock was ahead.
//
// A key takes some 100 bytes of the database, and 500 at most: at 6,700 entries a second,
// some 40 MB. A ticket is sent again by one node only, within its WriteTimeout, and takes
// some 60 bytes.
const (
	Remembered      = 10_000 // entries
	RememberedFor   = time.Minute
	RememberedMost  = 1_000_000 // entries
	rememberTickets = 65_536    // entries
	// forgetEvery is after how many entries what is old is removed.
	forgetEvery = 64
)

// How much of an answer is kept for a request that is sent again, in bytes. A small
// one is kept as long as its ID. Larger ones are kept while there is room.
const (
	smallAnswer = 128
	largeAnswer = 64 << 10
	answersRoom = 16 << 20
)

// memory is the part of the bookkeeping that knows requests by their IDs. Keys and
// tickets have a table each, so that neither can take the other's place.
const memory = `
	CREATE TABLE rejoin_requests (log_index INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, answer BLOB, large INTEGER, time INTEGER NOT NULL, digest BLOB NOT NULL);
	CREATE TABLE rejoin_tickets (log_index INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, answer BLOB, large INTEGER);
	CREATE TABLE rejoin_answers (ends INTEGER PRIMARY KEY, answer BLOB NOT NULL);`

// errAnswerGone is the answer to a request sent again whose answer is not kept.
var errAnswerGone = errors.New("the request was applied before; its answer was too large to be kept")

// AppliedError says that the request was applied, by an earlier entry, although
// it cannot be answered as it should.
type AppliedError struct{ Err error }

func (e *AppliedError) Error() string { return e.Err.Error() }
func (e *AppliedError) Unwrap() error { return e.Err }

// ReusedError says that a key names another request, which was applied. This one
// was not.
type ReusedError struct{ ID string }

func (e *ReusedError) Error() string {
	return fmt.Sprintf("the key %q names another request, with other SQL or other parameters, that was applied before; "+
		"this request was not applied", e.ID)
}

// recall returns the results of an earlier entry with the same ID.
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

// answerOf returns the answer that is kept in the table for the row that find finds.
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
		return nil, false, fmt.Errorf("the answer that is kept for log index %d: %w", index, err)
	}
	return results, true, nil
}

// remember keeps the answer for whoever sends the request again.
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

// keep keeps an answer, with its request or apart: then large is where, counted in the
// bytes of all answers that were ever kept apart. It makes room by dropping the oldest.
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

// forget removes the requests that are old at an entry. It depends on the log alone.
// Of what is in doubt it looks at the oldest only: times do not decrease in a log.
func (m *Machine) forget(log *raft.Log, now int64) error {
	if log.Index%forgetEvery != 0 || log.Type != raft.LogCommand {
		return nil
	}
	index := int64(log.Index)
	before := index - Remembered
	young, err := m.writer.Lookup("SELECT log_index FROM rejoin_requests WHERE log_index < ? AND time >= ? ORDER BY log_index LIMIT 1", before, now-RememberedFor.Milliseconds())
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
