package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// DB executes requests by a database/sql driver. It is safe for concurrent use.
type DB struct {
	db      *sql.DB
	options Options
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	ends   map[int]func() // end what runs: requests and open transactions
	next   int
}

var _ target.SQL = (*DB)(nil)

// New returns a DB that uses db, keeps at most 8 idle connections of it, and closes it in Close. It does not connect.
func New(db *sql.DB, options Options) *DB {
	db.SetMaxIdleConns(maxIdle)
	return &DB{db: db, options: options.withDefaults(), ends: make(map[int]func())}
}

// Open opens a DB of a registered driver, as sql.Open does.
func Open(driver, dsn string, options Options) (*DB, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("node %s: open the driver %s: %w", options.Node, driver, err)
	}
	return New(db, options), nil
}

// Query executes a request. See the package documentation.
func (d *DB) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	r, failed := d.start(ctx, func(r *run) *target.Error { return r.request(request) })
	if failed != nil {
		return nil, failed
	}
	rows, failed := first(r)
	if failed != nil {
		return nil, failed
	}
	return rows, nil
}

// Ping asks the database whether it is there, on an idle connection or a new one. It blocks until the answer.
func (d *DB) Ping(ctx context.Context) error {
	failed := d.do(ctx, func(r *run) *target.Error {
		if err := r.call(func() error { return d.db.PingContext(r.ctx) }); err != nil {
			return d.failure(err, target.NotApplied)
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	return nil
}

// Close ends all requests and transactions, and closes all connections. It blocks until no call of the driver runs.
func (d *DB) Close() error {
	d.mu.Lock()
	d.closed = true
	var ends []func()
	for _, end := range d.ends {
		ends = append(ends, end)
	}
	d.mu.Unlock()
	for _, end := range ends {
		end()
	}
	d.running.Wait()
	_ = d.db.Close() // all are closed; an error says that the database could not be told
	return nil
}

var errClosed = errors.New("the connections to the node are closed")

// register has Close call end, until the returned function is called.
func (d *DB) register(end func()) (leave func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	number := d.next
	d.next++
	d.ends[number] = end
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.ends, number)
	}, nil
}

// dropIdle closes all idle connections: one of them has turned out to be gone.
func (d *DB) dropIdle() {
	d.db.SetMaxIdleConns(-1)
	d.db.SetMaxIdleConns(maxIdle)
}

// maxIdle is how many connections are kept when no request needs them.
const maxIdle = 8

// Ask returns all rows of a query in the database's own words, without translation: for an adapter's view of a node.
func (d *DB) Ask(ctx context.Context, query string, params ...any) ([][]any, error) {
	var rows [][]any // written by the call, and read only if it has finished
	failed := d.do(ctx, func(r *run) *target.Error {
		s, err := r.connect()
		if err == nil {
			if rows, err = (tx{r, s}).Query(ctx, query, params...); err == nil {
				s.release()
				return nil
			}
			s.discard()
		}
		if d.lost(err) {
			d.dropIdle()
		}
		return d.read(err)
	})
	if failed != nil {
		return nil, failed
	}
	return rows, nil
}

// Execute executes statements in the database's own words, without translation, each by itself: those that prepare it for the
// suite, such as dialect.Family.Setup. It stops at the first that fails.
func (d *DB) Execute(ctx context.Context, statements ...string) error {
	failed := d.do(ctx, func(r *run) *target.Error {
		s, err := r.connect()
		if err == nil {
			err = r.execAll(s, statements...)
			if err != nil {
				s.discard()
			} else {
				s.release()
			}
		}
		if err != nil {
			return d.read(err)
		}
		return nil
	})
	if failed != nil {
		return failed
	}
	return nil
}
