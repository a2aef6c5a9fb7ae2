package machine

import (
	"context"
	"errors"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// View is the state of the database between two batches. It is not safe for concurrent use.
type View struct {
	machine *Machine
	conn    *sqlite.Conn
	slots   slots
	hold    *hold

	// ending is done when the view must end. asked is the context of the latest query, and both
	// is done when either is.
	ending context.Context
	asked  context.Context
	both   context.Context
	forget func()
	begun  bool // the limits of the read are set
}

// View opens a view, which the caller must close: it uses one of the read connections. While all
// of them are in use, View blocks until one is free, ctx ends or the machine is closed. Meanwhile it
// ends reads that have run for more than a second with ErrCrowded.
func (m *Machine) View(ctx context.Context) (*View, error) {
	return m.view(ctx, m.readers.reads)
}

func (m *Machine) view(ctx context.Context, slots slots) (*View, error) {
	if err := m.stopped(); err != nil {
		return nil, err
	}
	conn, err := m.readers.take(ctx, slots)
	if err != nil {
		return nil, err
	}
	conn.End()
	v := &View{machine: m, conn: conn, slots: slots, forget: func() {}}
	ending, end := context.WithCancelCause(context.Background())
	v.ending, v.hold = ending, m.readers.hold(end)
	// A read pins the snapshot: BEGIN alone does not.
	if err := conn.Trusted("BEGIN; SELECT log_index FROM rejoin_applied"); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// Close ends the view. Its rows must be closed before. Close may be called more than once.
func (v *View) Close() error {
	if v.conn == nil {
		return nil
	}
	var err error
	if v.conn.InTransaction() {
		err = v.conn.Trusted("ROLLBACK")
	}
	v.forget()
	v.hold.end(nil)
	v.machine.readers.put(v.conn, v.hold, v.slots)
	v.conn = nil
	return err
}

// Query runs one statement that reads, with the first parameters of params, and returns how many
// it used. Ending ctx interrupts it. All queries of a view share the limits of one read.
func (v *View) Query(ctx context.Context, statement sqltext.Statement, params []any) (*sqlite.Rows, int, error) {
	qualified, err := qualify(v.conn, statement)
	if err != nil {
		return nil, 0, err
	}
	now := time.Now()
	v.conn.SetNow(now)
	v.conn.SetRandom(uint64(now.UnixNano()), v.machine.Applied())
	if !v.begun {
		if err := v.conn.Begin(v.machine.options.ReadBudget, v.machine.options.ReadMemory); err != nil {
			return nil, 0, err
		}
		v.begun = true
	}
	return v.conn.Query(v.until(ctx), qualified.SQL, params)
}

// OnEnd calls f in its own goroutine when a waiting read or the closing of the machine ends the
// view, but not on Close. The returned function prevents the call of f, and reports whether it
// did.
func (v *View) OnEnd(f func()) (forget func() bool) { return context.AfterFunc(v.ending, f) }

// until returns a context that ends with ctx and with the view.
func (v *View) until(ctx context.Context) context.Context {
	if ctx == v.asked {
		return v.both
	}
	v.forget()
	both, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(v.ending, func() { cancel(context.Cause(v.ending)) })
	v.asked, v.both = ctx, both
	v.forget = func() { stop(); cancel(nil) }
	return both
}
