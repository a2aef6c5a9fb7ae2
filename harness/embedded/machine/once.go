package machine

import (
	"errors"
	"fmt"

	"github.com/hashicorp/raft"
)

const (
	// Remembered is how many log entries back a request is still known by its ID.
	Remembered = 10_000
	// keptAnswer bounds the answer kept for a request, in bytes.
	keptAnswer = 64 << 10
)

// errAnswerGone is the answer to a request sent again whose answer was too large to keep.
var errAnswerGone = errors.New("the request was applied before; its answer was too large to be kept")

// AppliedError says that the request was applied, by an earlier entry, although
// it cannot be answered as it should.
type AppliedError struct{ Err error }

func (e *AppliedError) Error() string { return e.Err.Error() }
func (e *AppliedError) Unwrap() error { return e.Err }

// recall returns the results of an earlier entry with the same ID.
func (m *Machine) recall(entry Entry) (results []Result, found bool, err error) {
	if entry.ID == "" {
		return nil, false, nil
	}
	// The answer is never empty; NULL, which would look like no row, is.
	const lookup = "SELECT ifnull(answer, x'') FROM rejoin_requests WHERE id = ?"
	kept, err := m.writer.Lookup(lookup, entry.ID)
	if kept == nil || err != nil {
		return nil, false, err
	}
	answer := kept.([]byte)
	if len(answer) == 0 {
		return nil, true, &AppliedError{errAnswerGone}
	}
	if err := decoding.Unmarshal(answer, &results); err != nil {
		return nil, false, fmt.Errorf("answer kept for request %q: %w", entry.ID, err)
	}
	return results, true, nil
}

// remember keeps the answer for whoever sends the request again.
func (m *Machine) remember(log *raft.Log, entry Entry, results []Result) error {
	if entry.ID == "" {
		return nil
	}
	answer, err := encoding.Marshal(results)
	if err != nil {
		return err
	}
	var kept any = answer
	if len(answer) > keptAnswer {
		kept = nil
	}
	if log.Index > Remembered {
		if err := m.writer.Trusted("DELETE FROM rejoin_requests WHERE log_index < ?", int64(log.Index-Remembered)); err != nil {
			return err
		}
	}
	return m.writer.Trusted("INSERT INTO rejoin_requests VALUES (?, ?, ?)", int64(log.Index), entry.ID, kept)
}
