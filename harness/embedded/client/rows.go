package client

import (
	"errors"
	"io"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/target"
)

// rows is an answer as it arrives.
type rows struct {
	*wire.Reader
	body    io.ReadCloser
	client  *Client
	changed bool
}

func (r *rows) Changed() bool { return r.changed }

func (r *rows) Columns() []target.Column {
	columns := r.Reader.Columns()
	out := make([]target.Column, len(columns))
	for i, c := range columns {
		out[i] = target.Column(c)
	}
	return out
}

// Err says what the node said, or how the answer broke off.
func (r *rows) Err() error {
	err := r.Reader.Err()
	var said *wire.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &said):
		return r.client.said(said, err)
	}
	return r.client.failed(CodeUnreachable, err, target.Unknown)
}

// outcome trusts the node where it says nothing of the outcome: then nothing was
// changed. A word that is not known may mean anything.
func outcome(said *wire.Error) target.Outcome {
	switch said.Outcome {
	case "":
		return target.NotApplied
	case embedded.OutcomeApplied:
		return target.Applied
	}
	return target.Unknown
}

// Close gives the connection back if the answer was read to its end, and
// otherwise closes it, so that the node stops sending.
func (r *rows) Close() error { return r.body.Close() }
