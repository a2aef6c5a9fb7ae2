//go:build cgo

package transacting

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// database is the committed state, and the transactions that are open.
type database struct {
	flaw Flaw

	mu      sync.Mutex
	state   *conn
	commits uint64
	changed map[row]uint64 // the commit that changed it last
	open    []*transaction // from the oldest
	said    []*said        // with DirtyWrites: everything that was ever executed, in order
}

// said is a request that was executed, with its answer.
type said struct {
	by      *transaction
	request target.Request
	results []sqldb.Result
	counts  bool // it was committed
}

func newDatabase(flaw Flaw) (*database, error) {
	state, err := open()
	return &database{flaw: flaw, state: state, changed: make(map[row]uint64)}, err
}

func (d *database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.state.Close()
}

func (d *database) index() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.commits + 1
}

// execute executes a request as a transaction of its own.
func (d *database) execute(n *node, r target.Request) (target.Rows, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	results, err := d.state.atomically(r)
	if err != nil {
		return nil, failed(n, err)
	}
	if writes(r) {
		d.countLocked()
		if d.flaw == DirtyWrites {
			d.said = append(d.said, &said{request: r, counts: true})
		}
	}
	return (&sqldb.Answer{Results: results}).Rows(writes(r)), nil
}

// countLocked counts a commit, with the rows that it changed.
func (d *database) countLocked() {
	d.commits++
	for r := range d.state.touched {
		d.changed[r] = d.commits
	}
	clear(d.state.touched)
}

// transaction is an interactive transaction.
type transaction struct {
	node  *node
	d     *database
	since uint64 // the number of commits when it began
	own   *conn
	said  []*said
	ended bool
}

func (d *database) begin(n *node) (*transaction, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	own, err := d.state.copy()
	if err != nil {
		return nil, failed(n, err)
	}
	t := &transaction{node: n, d: d, since: d.commits, own: own}
	d.open = append(d.open, t)
	return t, nil
}

// Query executes statements on the transaction's view.
func (t *transaction) Query(ctx context.Context, r target.Request) (target.Rows, error) {
	t.node.cluster.travel(ctx)
	if err := t.node.reachable(target.Unknown); err != nil {
		return nil, err
	}
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if t.ended {
		return nil, failed(t.node, errors.New("the transaction has ended"))
	}
	if err := t.lookAgain(); err != nil {
		return nil, failed(t.node, err)
	}
	results, err := t.own.atomically(r)
	if err != nil {
		return nil, failed(t.node, err)
	}
	s := &said{t, r, results, false}
	t.said = append(t.said, s)
	t.d.said = append(t.d.said, s)
	return (&sqldb.Answer{Results: results}).Rows(writes(r)), nil
}

// lookAgain gives the transaction a newer view, if the flaw does so.
func (t *transaction) lookAgain() error {
	var over []*said // that the view has besides what is committed
	switch t.d.flaw {
	case ReadSkew:
		over = t.said
	case DirtyReads, DirtyWrites:
		for _, s := range t.d.said {
			if s.by != nil && !s.by.ended {
				over = append(over, s)
			}
		}
	default:
		return nil
	}
	own, err := t.d.state.copy()
	if err != nil {
		return err
	}
	own.touched = t.own.touched
	own.replay(over)
	err = t.own.Close()
	t.own = own
	return err
}

// Commit executes the statements of the transaction on the committed state.
func (t *transaction) Commit(context.Context) error {
	if err := t.node.reachable(target.Unknown); err != nil {
		return err
	}
	d := t.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.ended {
		return failed(t.node, errors.New("the transaction has ended"))
	}
	err := t.commitLocked()
	t.endLocked()
	switch {
	case errors.Is(err, errConflict):
		return &target.Error{Node: t.node.ID(), Code: "CONFLICT", Message: err.Error(), Outcome: target.NotApplied, Kind: target.ErrConflict,
			Temporary: true}
	case err != nil:
		return failed(t.node, err)
	}
	return nil
}

var errConflict = errors.New("another transaction has changed the data")

func (t *transaction) commitLocked() error {
	d := t.d
	for _, s := range t.said {
		s.counts = true
	}
	if d.flaw == DirtyWrites {
		return d.rebuildLocked()
	}
	if d.flaw == WriteSkew || d.flaw == ReadSkew {
		for r := range t.own.touched {
			if d.changed[r] > t.since {
				return errConflict
			}
		}
	}
	err := d.state.within(func() error {
		for _, s := range t.said {
			if d.flaw != None && !writes(s.request) {
				continue
			}
			results, err := d.state.run(s.request)
			if err != nil || d.flaw == None && !reflect.DeepEqual(results, s.results) {
				return errConflict
			}
		}
		return nil
	})
	if err == nil && slices.ContainsFunc(t.said, func(s *said) bool { return writes(s.request) }) {
		d.countLocked()
	}
	clear(d.state.touched)
	return err
}

// rebuildLocked makes the state of everything that counts, in the order of the statements.
func (d *database) rebuildLocked() error {
	state, err := open()
	if err != nil {
		return err
	}
	var counts []*said
	for _, s := range d.said {
		if s.counts {
			counts = append(counts, s)
		}
	}
	state.replay(counts)
	err = d.state.Close()
	d.state = state
	d.commits++
	return err
}

// Rollback forgets the transaction.
func (t *transaction) Rollback(context.Context) error {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	t.endLocked()
	return nil
}

func (t *transaction) endLocked() {
	if t.ended {
		return
	}
	t.ended = true
	t.d.open = slices.DeleteFunc(t.d.open, func(o *transaction) bool { return o == t })
	if t.d.flaw != DirtyWrites {
		t.d.said = slices.DeleteFunc(t.d.said, func(s *said) bool { return s.by == t })
	}
	_ = t.own.Close() // in memory
	t.node.cluster.unlock()
}
