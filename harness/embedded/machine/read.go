package machine

import (
	"context"
	"errors"
	"time"

	"github.com/rejoin-db/rejoin/harness/embedded/sqlite"
	"github.com/rejoin-db/rejoin/harness/sqltext"
)

// View is the database as it was after some batch, for as long as it is held.
// It is not safe for concurrent use.
type View struct {
	machine *Machine
	conn    *sqlite.Conn
	seats   seats
	hold    *hold

	// ending ends when the view is to end; asked is the context of the latest query,
	// and both what the query goes by.
	ending context.Context
	asked  context.Context
	both   context.Context
	forget func()
	begun  bool // the read has its limits
}

// View opens a view, which must be closed: it holds one of the connections for
// reading. While all of them are held it blocks, and ends reads that have been at it
// for more than a second: these get ErrCrowded.
func (m *Machine) View(ctx context.Context) (*View, error) {
	return m.view(ctx, m.readers.reads)
}

func (m *Machine) view(ctx context.Context, seats seats) (*View, error) {
	if err := m.stopped(); err != nil {
		return nil, err
	}
	conn, err := m.readers.take(ctx, seats)
	if err != nil {
		return nil, err
	}
	conn.End()
	v := &View{machine: m, conn: conn, seats: seats, forget: func() {}}
	ending, end := context.WithCancelCause(context.Background())
	v.ending, v.hold = ending, m.readers.hold(end)
	// A read pins the view: BEGIN alone does not.
	if err := conn.Trusted("BEGIN; SELECT log_index FROM rejoin_applied"); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// Close ends the view. Rows of it must be closed before. It is safe to call twice.
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
	v.machine.readers.put(v.conn, v.hold, v.seats)
	v.conn = nil
	return err
}

// Query runs one statement that reads, with the parameters it asks for from
// the front of params, and returns how many these were. Ending ctx interrupts it. All
// queries of a view together have the limits of one read.
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

// OnEnd has f called when the view is ended by others who wait, or by a machine that is
// closed, and not by Close. The returned function keeps f from being called any more, unless
// it has begun.
func (v *View) OnEnd(f func()) (forget func() bool) { return context.AfterFunc(v.ending, f) }

// until is a context that ends with ctx and with the view.
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
