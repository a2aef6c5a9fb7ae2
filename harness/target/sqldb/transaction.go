package sqldb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness/target"
)

// levels are all isolation levels, from the weakest.
var levels = []target.Isolation{
	target.ReadUncommitted, target.ReadCommitted, target.RepeatableRead, target.Snapshot, target.Serializable,
}

// Isolations returns the levels of Options.Levels, from the weakest.
func (d *DB) Isolations() []target.Isolation {
	return slices.DeleteFunc(slices.Clone(levels), func(level target.Isolation) bool { return d.options.Levels[level] == nil })
}

// Begin begins an interactive transaction on a connection of its own, as target.Transactor describes. The context of its
// statements limits them as it does a request.
func (d *DB) Begin(ctx context.Context, level target.Isolation) (target.Transaction, error) {
	begin := d.options.Levels[level]
	if begin == nil {
		return nil, &target.Error{Node: d.options.Node, Code: "ISOLATION", Kind: target.ErrBadRequest, Outcome: target.NotApplied,
			Message: fmt.Sprintf("the isolation level %q is not one of %q", level, d.Isolations())}
	}
	t := &transaction{db: d, turn: make(chan struct{}, 1)}
	failed := d.do(ctx, func(r *run) *target.Error {
		err := t.begin(r, begin)
		if d.lost(err) && r.ctx.Err() == nil {
			d.dropIdle() // an idle connection was gone
			err = t.begin(r, begin)
		}
		if err == nil {
			if err = r.goOn(); err != nil {
				t.session.discard()
			}
		}
		if err != nil {
			return d.failure(err, target.NotApplied)
		}
		return nil
	})
	if failed != nil {
		return nil, failed
	}
	var err error
	if t.leave, err = d.register(t.end); err != nil {
		t.session.discard()
		return nil, d.failure(err, target.NotApplied)
	}
	return t, nil
}

// do runs work and waits for it.
func (d *DB) do(ctx context.Context, work func(*run) *target.Error) *target.Error {
	r, failed := d.start(ctx, work)
	if failed != nil {
		return failed
	}
	return r.wait()
}

// transaction is an interactive transaction.
type transaction struct {
	db    *DB
	leave func() // has DB.Close not call end

	turn    chan struct{} // holds one element while a call of the driver runs; guards what follows
	session *session
	over    error // why the session is gone; nil while it is there
	failed  bool  // a statement has failed
	changed bool  // a statement that changes data was sent
}

var (
	errEnded     = errors.New("the transaction has ended")
	errLost      = errors.New("the connection of the transaction was closed, which rolls it back")
	errNoCommit  = errors.New("a statement of the transaction has failed, so it was rolled back")
	errConfusing = errors.New("the rows of the last statement are not closed")
)

func (t *transaction) begin(r *run, statements []string) (err error) {
	if t.session, err = r.connect(); err != nil {
		return err
	}
	if err = r.sendBegin(t.session, statements); err != nil {
		t.session.discard()
	}
	return err
}

// end ends the transaction when the DB is closed.
func (t *transaction) end() {
	t.db.running.Go(func() {
		t.turn <- struct{}{}
		t.finish(errClosed, false)
		<-t.turn
	})
}

// finish gives the connection up. The turn must be held.
func (t *transaction) finish(why error, reusable bool) {
	if t.over != nil {
		return
	}
	t.over = why
	t.leave()
	if reusable {
		t.session.release()
	} else {
		t.session.discard()
	}
}

// take takes the turn for a call.
func (t *transaction) take() *target.Error {
	select {
	case t.turn <- struct{}{}:
	default:
		return t.db.failure(&target.Error{Code: "BUSY", Kind: target.ErrBadRequest, Message: errConfusing.Error()}, target.NotApplied)
	}
	if t.over != nil {
		why := t.over
		<-t.turn
		return t.db.failure(&target.Error{Code: "ENDED", Kind: target.ErrConflict, Message: why.Error(), Cause: why}, target.NotApplied)
	}
	return nil
}

// Query executes statements in the transaction.
func (t *transaction) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	if failed := t.take(); failed != nil {
		return nil, failed
	}
	r, failed := t.db.start(ctx, func(r *run) *target.Error {
		defer func() { <-t.turn }()
		err := t.execute(r, request)
		if err == nil {
			return nil
		}
		t.failed = true
		if r.ctx.Err() != nil || t.db.lost(err) {
			t.finish(errLost, false)
		}
		return t.db.failure(err, target.NotApplied)
	})
	if failed != nil {
		<-t.turn
		return nil, failed
	}
	rows, failed := first(r)
	if failed != nil {
		return nil, failed
	}
	rows.drain = true
	return rows, nil
}

func (t *transaction) execute(r *run, request target.Request) error {
	if err := checkParams(request.Params); err != nil {
		return err
	}
	statements, err := t.db.options.Dialect.Translate(r.ctx, request, tx{r, t.session}.Query)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if !s.Reads {
			r.changed.Store(true)
			t.changed = true
		}
	}
	for _, s := range statements {
		if _, err := r.deliver(t.session, s, nil); err != nil {
			return err
		}
	}
	return nil
}

// Commit commits the transaction.
func (t *transaction) Commit(ctx context.Context) error {
	if failed := t.take(); failed != nil {
		return failed
	}
	if t.failed && t.db.options.FailsWhole {
		<-t.turn
		_ = t.Rollback(ctx) // it is rolled back already; what fails closes the connection
		return t.db.failure(&target.Error{Code: "ABORTED", Kind: target.ErrConflict, Message: errNoCommit.Error()}, target.NotApplied)
	}
	r, failed := t.db.start(ctx, func(r *run) *target.Error {
		defer func() { <-t.turn }()
		var err error
		if t.changed {
			err = r.execAll(t.session, t.db.options.BeforeCommit...)
		}
		if err == nil {
			err = r.goOn()
		}
		if err != nil {
			t.finish(errLost, false)
			return t.db.failure(err, target.NotApplied)
		}
		err = r.execAll(t.session, t.db.options.Commit)
		t.finish(errEnded, err == nil)
		if err != nil {
			return t.db.read(err)
		}
		return nil
	})
	return t.wait(r, failed)
}

// Rollback undoes the transaction.
func (t *transaction) Rollback(ctx context.Context) error {
	if failed := t.take(); failed != nil {
		if errors.Is(failed, errEnded) || errors.Is(failed, errLost) || errors.Is(failed, errClosed) {
			return nil
		}
		return failed
	}
	r, failed := t.db.start(ctx, func(r *run) *target.Error {
		defer func() { <-t.turn }()
		err := r.execAll(t.session, t.db.options.Rollback)
		t.finish(errEnded, err == nil) // a connection that is closed rolls back as well
		return nil
	})
	return t.wait(r, failed)
}

// wait waits for a call that ends the transaction.
func (t *transaction) wait(r *run, failed *target.Error) error {
	if failed != nil {
		<-t.turn
		return failed
	}
	if failed := r.wait(); failed != nil {
		return failed
	}
	return nil
}

// Transactions is target.Transactor for a cluster whose nodes are DBs with the same levels. Embed it in the cluster.
type Transactions struct {
	Levels []target.Isolation
	// At returns the DB that clients of a node use.
	At func(node int) (*DB, error)
}

// Isolations returns Levels.
func (t Transactions) Isolations() []target.Isolation { return t.Levels }

// Begin begins a transaction at a node.
func (t Transactions) Begin(ctx context.Context, node int, level target.Isolation) (target.Transaction, error) {
	db, err := t.At(node)
	if err != nil {
		return nil, err
	}
	return db.Begin(ctx, level)
}
