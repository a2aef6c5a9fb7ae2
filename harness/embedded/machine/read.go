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
}

// View opens a view, which must be closed: it holds one of the connections for
// reading. It blocks while all of them are held.
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
	v := &View{machine: m, conn: conn, seats: seats}
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
	v.machine.readers.put(v.conn, v.seats)
	v.conn = nil
	return err
}

// Query runs one statement that reads, with the parameters it asks for from
// the front of params, and returns how many these were. Ending ctx interrupts it.
func (v *View) Query(ctx context.Context, statement sqltext.Statement, params []any) (*sqlite.Rows, int, error) {
	qualified, err := qualify(v.conn, statement)
	if err != nil {
		return nil, 0, err
	}
	now := time.Now()
	v.conn.SetNow(now)
	v.conn.SetRandom(uint64(now.UnixNano()), v.machine.Applied())
	return v.conn.Query(ctx, qualified.SQL, params)
}
