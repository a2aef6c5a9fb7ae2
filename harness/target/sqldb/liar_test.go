package sqldb_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// liar is a driver that does what a spec tells it to. SELECT n answers with n rows.
type liar struct {
	mu    sync.Mutex
	conns int
	calls []string
	// on is called with each call, such as "1 INSERT …" for a statement on the first connection. Its error is the answer.
	on func(ctx context.Context, call string) error
	// halfway is the error of the third row; nil is none.
	halfway error
}

func (l *liar) Connect(ctx context.Context) (driver.Conn, error) {
	l.mu.Lock()
	l.conns++
	c := &liarConn{liar: l, number: string(rune('0' + l.conns))}
	l.mu.Unlock()
	return c, l.call(ctx, c.number+" connect")
}

func (l *liar) Driver() driver.Driver { return nil }

func (l *liar) call(ctx context.Context, call string) error {
	l.mu.Lock()
	l.calls = append(l.calls, call)
	on := l.on
	l.mu.Unlock()
	if on == nil {
		return nil
	}
	return on(ctx, call)
}

// said returns the calls so far that contain the text.
func (l *liar) said(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.calls), func(call string) bool { return !strings.Contains(call, text) })
}

func (l *liar) set(on func(ctx context.Context, call string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = on
}

// fails is a hook that fails calls with that text.
func fails(text string, err error) func(context.Context, string) error {
	return func(_ context.Context, call string) error {
		if strings.Contains(call, text) {
			return err
		}
		return nil
	}
}

type liarConn struct {
	liar   *liar
	number string
}

func (c *liarConn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("nothing is prepared")
}
func (c *liarConn) Begin() (driver.Tx, error) {
	return nil, errors.New("transactions begin with a statement")
}
func (c *liarConn) Close() error { return c.liar.call(context.Background(), c.number+" close") }

func (c *liarConn) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), c.liar.call(ctx, c.number+" "+query)
}

func (c *liarConn) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	return &liarRows{liar: c.liar}, c.liar.call(ctx, c.number+" "+query)
}

// liarRows are five rows.
type liarRows struct {
	liar *liar
	n    int64
}

func (r *liarRows) Columns() []string { return []string{"n"} }
func (r *liarRows) Close() error      { return nil }

func (r *liarRows) Next(into []driver.Value) error {
	r.n++
	switch {
	case r.n == 3 && r.liar.halfway != nil:
		return r.liar.halfway
	case r.n > 5:
		return io.EOF
	}
	into[0] = r.n
	return nil
}

// lying returns a DB of a lying driver, with short waits.
func lying(l *liar, change ...func(*sqldb.Options)) *sqldb.DB {
	GinkgoHelper()
	options := sqldb.Options{Node: "n0", Timeout: 100 * time.Millisecond, Grace: 50 * time.Millisecond}
	for _, c := range change {
		c(&options)
	}
	db := sqldb.New(sql.OpenDB(l), options)
	DeferCleanup(db.Close)
	return db
}
