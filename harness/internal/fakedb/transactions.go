package fakedb

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
	"github.com/rejoin-db/rejoin/harness/target/sqldb"
)

// Isolations returns serializable alone.
func (c *Cluster) Isolations() []target.Isolation { return []target.Isolation{target.Serializable} }

// Begin begins a transaction. It conflicts with every change that is committed before it commits.
func (c *Cluster) Begin(ctx context.Context, i int, level target.Isolation) (target.Transaction, error) {
	n, leave, err := c.at(ctx, i, "begin at")
	if err != nil {
		return nil, err
	}
	defer leave()
	if level != target.Serializable {
		return nil, n.failed(target.ErrRefused, "no such level: "+string(level), target.NotApplied, nil)
	}
	if c.cutLocked(fault.Clients, i) || c.cutLocked(i, fault.Clients) || !n.runs() {
		return nil, n.failed(target.ErrUnreachable, "connection refused", target.NotApplied, nil)
	}
	return &transaction{node: n, life: n.life, from: len(c.log)}, nil
}

// transaction executes its statements again with each one, and undoes them until it commits.
type transaction struct {
	node     *node
	life     context.Context
	from     int // the log when it began
	requests []target.Request
	over     bool
}

func (t *transaction) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	results, err := t.do(ctx, append(t.requests[:len(t.requests):len(t.requests)], request), false)
	if err != nil {
		return nil, err
	}
	if !reads(request.SQL) {
		t.requests = append(t.requests, request)
	}
	return (&sqldb.Answer{Results: results}).Rows(!reads(request.SQL)), nil
}

func (t *transaction) Commit(ctx context.Context) error {
	if len(t.requests) > 0 {
		if _, err := t.do(ctx, t.requests, true); err != nil {
			return err
		}
	}
	t.over = true
	return nil
}

func (t *transaction) Rollback(context.Context) error {
	t.over = true
	return nil
}

// do executes requests at the leader, and keeps them if it is told to.
func (t *transaction) do(ctx context.Context, requests []target.Request, keep bool) ([]sqldb.Result, error) {
	n, c := t.node, t.node.cluster
	if err := ctx.Err(); err != nil {
		return nil, n.failed(target.ErrUnreachable, "not sent", target.NotApplied, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	leader, is := c.ledLocked(n.index)
	switch {
	case t.over:
		return nil, n.failed(target.ErrBadRequest, "the transaction is over", target.NotApplied, nil)
	case t.life.Err() != nil || c.cutLocked(fault.Clients, n.index) || !n.runs():
		return nil, n.failed(target.ErrUnreachable, "connection reset", target.NotApplied, nil)
	case !is:
		return nil, n.failed(target.ErrNoLeader, "no leader", target.NotApplied, nil)
	case len(c.log) > t.from:
		return nil, n.failed(target.ErrConflict, "another change was committed", target.NotApplied, nil)
	}
	results, err := leader.state.within(requests, keep)
	if err != nil || !keep {
		return results, n.refused(err)
	}
	c.log = append(c.log, requests...)
	leader.applied += uint64(len(requests))
	c.settleLocked()
	return results, nil
}
