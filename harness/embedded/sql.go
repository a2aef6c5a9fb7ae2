package embedded

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/machine"
	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/embedded/wire"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// request is one request of the SQL endpoint.
type request struct {
	wire.Request
	statements []sqltext.Statement
	begun      time.Time
	name
	forwarder string // the node that forwarded it; empty if none
}

func (n *Node) serveSQL(w http.ResponseWriter, r *http.Request) {
	req, err := n.readRequest(w, r)
	if err != nil {
		n.fail(w, err)
		return
	}
	if req.reads() {
		n.serveRead(w, r, req)
		return
	}
	n.serveWrite(w, r, req)
}

func (n *Node) readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	req := &request{begun: time.Now()}
	var err error
	if req.forwarder, err = n.forwarderOf(r); err != nil {
		return nil, err
	}
	if req.name, err = nameOf(r, req.forwarder != ""); err != nil {
		return nil, err
	}
	req.Request, err = wire.DecodeRequest(http.MaxBytesReader(w, r.Body, n.config.MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, CodeTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, CodeBadRequest, "the body did not arrive within %v", n.config.RequestTimeout)
	case err != nil:
		return nil, refuse(http.StatusBadRequest, CodeBadRequest, "%v", err)
	}
	if req.statements, err = sqltext.Split(req.SQL); err != nil {
		return nil, err
	}
	if len(req.statements) == 0 {
		return nil, refuse(http.StatusBadRequest, CodeBadRequest, "sql has no statement")
	}
	admit := machine.Admit
	if req.reads() {
		admit = machine.CountParams
	}
	if err := admit(req.statements, req.Params); err != nil {
		return nil, err
	}
	return req, nil
}

// reads returns whether all statements of the request only read.
func (r *request) reads() bool {
	for _, s := range r.statements {
		if !s.Reads() {
			return false
		}
	}
	return true
}

func (n *Node) serveRead(w http.ResponseWriter, r *http.Request, req *request) {
	if req.Consistency == "" {
		req.Consistency = wire.Leader
	}
	waiting, stopWaiting := context.WithTimeout(r.Context(), n.config.WriteTimeout)
	defer stopWaiting()
	if err := n.prepareRead(waiting, req.Consistency); err != nil {
		n.fail(w, err)
		return
	}
	view, err := n.storage.machine.View(waiting)
	if err != nil {
		n.fail(w, err)
		return
	}
	defer func() {
		if err := view.Close(); err != nil {
			n.config.Logger.Error("could not end a read", "error", err)
		}
	}()
	end := time.Now().Add(n.config.ReadTimeout)
	tooLong := refuse(http.StatusBadRequest, CodeTooCostly, "node %s: the read took longer than %v", n.config.ID, n.config.ReadTimeout)
	ctx, cancel := context.WithDeadlineCause(r.Context(), end, tooLong)
	defer cancel()
	out, hurry := n.beginAnswer(w, end)
	// A client that does not read its answer must not block other reads.
	defer view.OnEnd(hurry)()
	if err := answerRead(ctx, out, view, req); err != nil {
		n.cutShort(w, out, err)
		return
	}
	n.finish(out, req)
}

// answerRead streams the rows of all statements from one view.
func answerRead(ctx context.Context, out *wire.Writer, view *machine.View, req *request) error {
	params := req.Params
	for i, statement := range req.statements {
		rows, taken, err := view.Query(ctx, statement, params)
		if err != nil {
			return machine.Locate(err, i, len(req.statements))
		}
		params = params[taken:]
		if err := errors.Join(answerRows(out, rows), rows.Close()); err != nil {
			return machine.Locate(err, i, len(req.statements))
		}
	}
	return nil
}

func answerRows(out *wire.Writer, rows *sqlite.Rows) error {
	if err := out.Result(wireColumns(rows.Columns())); err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return out.EndResult(wire.ReadOnly)
		}
		if err != nil {
			return err
		}
		if err := out.Row(row); err != nil {
			return err
		}
	}
}

// answerResults sends the results of a change.
func answerResults(out *wire.Writer, results []machine.Result) error {
	for _, result := range results {
		if err := out.Result(wireColumns(result.Columns)); err != nil {
			return err
		}
		for _, row := range result.Rows {
			if err := out.Row(row); err != nil {
				return err
			}
		}
		if err := out.EndResult(result.Affected); err != nil {
			return err
		}
	}
	return nil
}

func wireColumns(columns []sqlite.Column) []wire.Column {
	out := make([]wire.Column, len(columns))
	for i, c := range columns {
		out[i] = wire.Column{Name: c.Name, Type: c.Type}
	}
	return out
}

// beginAnswer begins an answer. The client is disconnected if it reads nothing for RequestTimeout, or
// has not read everything by end, if end is not zero, or soon after hurry is called.
func (n *Node) beginAnswer(w http.ResponseWriter, end time.Time) (out *wire.Writer, hurry func()) {
	w.Header().Set("Content-Type", "application/json")
	patient := &deadlined{ResponseController: http.NewResponseController(w), to: w, each: n.config.RequestTimeout, end: end}
	return wire.NewWriter(patient, func() { _ = patient.Flush() }), patient.hurry // a broken connection fails at the next write
}

// lastWord is how long a client may take to read the error that ends an incomplete answer.
const lastWord = time.Second

// deadlined sets a deadline for each write when it begins, because the first row may take long.
type deadlined struct {
	*http.ResponseController
	to   io.Writer
	each time.Duration

	mu  sync.Mutex // held while the deadline is set, not during writes
	end time.Time  // the last deadline, to which lastWord is added; none if zero
}

func (d *deadlined) Write(p []byte) (int, error) {
	if err := d.allow(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return d.to.Write(p)
}

func (d *deadlined) allow() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	deadline := time.Now().Add(d.each)
	if last := d.end.Add(lastWord); !d.end.IsZero() && last.Before(deadline) {
		deadline = last
	}
	return d.SetWriteDeadline(deadline)
}

// hurry sets end to now. A write in progress ends after lastWord.
func (d *deadlined) hurry() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := time.Now(); d.end.IsZero() || now.Before(d.end) {
		d.end = now
		_ = d.SetWriteDeadline(now.Add(lastWord)) // errors are ignored: the connection is broken
	}
}

// cutShort ends an answer with an error: as an ordinary error if nothing was sent yet, otherwise by
// closing the connection after it.
func (n *Node) cutShort(w http.ResponseWriter, out *wire.Writer, err error) {
	if !out.Sent() {
		n.fail(w, err)
		return
	}
	_ = out.Fail(explain(err).body)
	panic(http.ErrAbortHandler)
}

func (n *Node) finish(out *wire.Writer, req *request) {
	if err := out.Close(time.Since(req.begun)); err != nil {
		panic(http.ErrAbortHandler)
	}
}
