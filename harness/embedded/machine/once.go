package machine

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/raft"
)

const (
	// Remembered is how many log entries back a request is still known by its ID.
	Remembered = 10_000
	// forgetEvery is how many log entries are between two rounds of forgetting.
	forgetEvery = 256
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

// recall returns the response to an earlier entry with the same ID.
func (m *Machine) recall(entry Entry) (response Response, found bool, err error) {
	if entry.ID == "" {
		return Response{}, false, nil
	}
	rows, _, err := m.writer.Query(context.Background(), "SELECT answer FROM rejoin_requests WHERE id = ?", []any{entry.ID})
	if err != nil {
		return Response{}, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row, err := rows.Next()
	if err == io.EOF {
		return Response{}, false, nil
	}
	if err != nil {
		return Response{}, false, err
	}
	kept, ok := row[0].([]byte)
	if !ok {
		return Response{Err: &AppliedError{errAnswerGone}}, true, nil
	}
	if err := decoding.Unmarshal(kept, &response.Results); err != nil {
		return Response{}, false, fmt.Errorf("answer kept for request %q: %w", entry.ID, err)
	}
	return response, true, nil
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
	if log.Index%forgetEvery == 0 && log.Index > Remembered {
		if err := m.writer.Trusted("DELETE FROM rejoin_requests WHERE log_index < ?", int64(log.Index-Remembered)); err != nil {
			return err
		}
	}
	return m.writer.Trusted("INSERT INTO rejoin_requests VALUES (?, ?, ?)", int64(log.Index), entry.ID, kept)
}
