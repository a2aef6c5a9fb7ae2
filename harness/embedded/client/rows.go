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

// Err returns the error that the node answered, or why the answer is incomplete.
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

// outcome returns the outcome of an error. Without an outcome nothing was changed. An outcome that this
// version does not know is Unknown.
func outcome(said *wire.Error) target.Outcome {
	switch said.Outcome {
	case "":
		return target.NotApplied
	case embedded.OutcomeApplied:
		return target.Applied
	}
	return target.Unknown
}

// Close keeps the connection for reuse if the answer was read completely. Otherwise it closes the
// connection, so that the node stops sending.
func (r *rows) Close() error { return r.body.Close() }
