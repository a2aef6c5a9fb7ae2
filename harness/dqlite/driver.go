package dqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/canonical/go-dqlite/client"
	dqlite "github.com/canonical/go-dqlite/driver"

	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/proc"
)

// connector connects to the leader by way of the node, which tells which one it is.
type connector struct{ node *proc.Node }

func (c *connector) Driver() driver.Driver { return nil }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	made := &conn{}
	store := client.NewInmemNodeStore()
	if err := store.Set(ctx, []client.NodeInfo{{Address: c.node.Address()}}); err != nil {
		return nil, err
	}
	ctx, end := context.WithTimeout(ctx, leaderless)
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d, err := dqlite.New(store, dqlite.WithLogFunc(made.log), dqlite.WithAttemptTimeout(attempt),
		dqlite.WithConnectionBackoffFactor(pause), dqlite.WithConnectionBackoffCap(pause),
		dqlite.WithDialFunc(func(ctx context.Context, address string) (_ net.Conn, err error) {
			if made.link, err = by(ctx, c.node, address); err != nil {
				cancel(&unreachedError{err}) // the driver would try for ever
			}
			return made.link, err
		}))
	if err != nil {
		return nil, err
	}
	opener, err := d.OpenConnector(database)
	if err != nil {
		return nil, err
	}
	if made.Conn, err = opener.Connect(ctx); err == nil {
		return made, nil
	}
	if unreached := (*unreachedError)(nil); errors.As(context.Cause(ctx), &unreached) {
		return nil, unreached
	}
	return nil, made.explained(err)
}

// by connects to a node by way of another, or to that itself.
func by(ctx context.Context, n *proc.Node, address string) (net.Conn, error) {
	if address == n.Address() {
		return n.Dial(ctx, "tcp", address)
	}
	conn, err := n.Dial(ctx, "tcp", n.Host()+":"+relay)
	if err == nil {
		_, err = fmt.Fprintln(conn, address)
	}
	return conn, err
}

// unreachedError is the error of a node that cannot be reached.
type unreachedError struct{ err error }

func (e *unreachedError) Error() string { return "it cannot be reached: " + e.err.Error() }
func (e *unreachedError) Unwrap() error { return e.err }

const (
	leaderless = 1500 * time.Millisecond // how long a client looks for a leader; less than sqldb.Options.Timeout
	attempt    = 500 * time.Millisecond  // for one node to answer whether it leads
	pause      = 10 * time.Millisecond   // between two looks for a leader
)

// conn is a connection to a leader.
type conn struct {
	driver.Conn
	link net.Conn
	lost *lostError // why the leader has refused, if it has
}

// lostError is the error of a leader that leads no longer. The driver drops its text, and has database/sql send again what may
// have been applied.
type lostError struct {
	why     string
	refused bool // it did not lead any more when it was asked
}

func (e *lostError) Error() string { return e.why }
func (e *lostError) Unwrap() error { return driver.ErrBadConn }

// log keeps what the driver drops.
func (c *conn) log(_ client.LogLevel, format string, args ...any) {
	if why := fmt.Sprintf(format, args...); strings.HasPrefix(why, "leadership lost") || strings.HasPrefix(why, "not found") {
		c.lost = &lostError{why, !strings.Contains(why, fmt.Sprint(leadershipLost))}
	}
}

// leadershipLost is dqlite's code for a leader that was deposed before the change was committed.
const leadershipLost = 10 | 41<<8

// explained is an error of the driver with what it has dropped.
func (c *conn) explained(err error) error {
	if errors.Is(err, driver.ErrBadConn) && c.lost != nil {
		return c.lost
	}
	return err
}

// breaking breaks the connection when ctx ends: the driver heeds deadlines only.
func (c *conn) breaking(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = c.link.SetDeadline(time.Unix(1, 0)) })
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.breaking(ctx)()
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	return result, c.explained(err)
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stop := c.breaking(ctx)
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		stop()
		return nil, c.explained(err)
	}
	return &answer{rows, c, stop}, nil
}

// answer is the rows of a connection, which breaks if ctx ends before they are closed.
type answer struct {
	driver.Rows
	conn *conn
	stop func() bool
}

func (a *answer) Next(row []driver.Value) error { return a.conn.explained(a.Rows.Next(row)) }

func (a *answer) Close() error {
	defer a.stop()
	return a.Rows.Close()
}

func (a *answer) ColumnTypeDatabaseTypeName(i int) string {
	return a.Rows.(driver.RowsColumnTypeDatabaseTypeName).ColumnTypeDatabaseTypeName(i)
}

// reads tells whether all statements of a text read.
func reads(text string) bool {
	statements, err := sqltext.Split(text)
	for _, s := range statements {
		if !s.Reads() {
			return false
		}
	}
	return err == nil
}

// exact is a value of the driver as the kit has it. The leader has converted those of columns declared as a time or as BOOLEAN.
func exact(_ target.Column, v any) (any, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999999"), nil
	}
	return v, nil
}
