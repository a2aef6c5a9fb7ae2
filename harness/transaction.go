package harness

import (
	"context"
	"slices"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Isolations returns the isolation levels of the target's interactive transactions, from the
// weakest; none if it has no such transactions.
func (c *Cluster) Isolations() []target.Isolation {
	if t, can := target.As[target.Transactor](c.cluster); can {
		return slices.Clone(t.Isolations())
	}
	return nil
}

// Transaction is an interactive transaction at one node, reached as a client reaches it. One
// goroutine at a time may use it.
type Transaction struct {
	node  *Node
	level target.Isolation
	tx    target.Transaction
}

// Begin begins a transaction at this node. It blocks until the node has answered, or ctx ends.
// The caller must end the transaction with Commit or Rollback; it outlives ctx. Before, it waits
// until the node has applied the latest schema change, as Execute does for local reads. The
// error is a *NodeError, and wraps an *UnsupportedError if the target has no transactions.
func (n *Node) Begin(ctx context.Context, level target.Isolation) (_ *Transaction, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return nil, n.failed("begin a transaction", err)
	}
	defer leave(&err)
	t, can := target.As[target.Transactor](n.cluster.cluster)
	if !can {
		return nil, n.failed("begin a transaction", &notAskedError{&UnsupportedError{target.Transactions}})
	}
	end := n.said(ctx, "BEGIN at "+string(level))
	tx, err := n.begin(ctx, t, level)
	end(err)
	if err != nil {
		return nil, n.failed("begin a transaction", err)
	}
	return &Transaction{n, level, tx}, nil
}

func (n *Node) begin(ctx context.Context, t target.Transactor, level target.Isolation) (target.Transaction, error) {
	_, err := n.cluster.Node(n.index) // a member still
	if err == nil {
		err = n.Reading(target.Local).awaitSchema(ctx)
	}
	if err != nil {
		return nil, &notAskedError{err}
	}
	return t.Begin(ctx, n.index, level)
}

// BeginOnRandom begins a transaction on one online node, chosen at random from the cluster's
// seed. If no node is online the error is ErrNoNodesOnline, at once.
func (c *Cluster) BeginOnRandom(ctx context.Context, level target.Isolation) (_ *Transaction, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave(&err)
	node, err := c.pick(ctx, nil)
	if err != nil {
		return nil, err
	}
	return node.Begin(ctx, level)
}

// Node returns the node of the transaction.
func (t *Transaction) Node() *Node { return t.node }

// Level returns the isolation level that the transaction has begun with.
func (t *Transaction) Level() target.Isolation { return t.level }

// Execute executes statements within the transaction and returns the whole answer. It blocks
// until the answer is complete or ctx ends. The error is a *NodeError. After an error the
// transaction must be rolled back.
func (t *Transaction) Execute(ctx context.Context, sql string, args ...any) (_ Result, err error) {
	n := t.node
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return Result{}, n.failed("execute in a transaction", err)
	}
	defer leave(&err)
	end := n.said(ctx, sqltext.Abridged(sql))
	tables, err := t.execute(ctx, sql, args)
	end(err)
	if err != nil {
		return Result{}, n.failed("execute in a transaction", err)
	}
	return Result{Node: n.index, ID: n.node.ID(), Tables: tables}, nil
}

func (t *Transaction) execute(ctx context.Context, sql string, args []any) ([]Table, error) {
	params, err := values(args)
	if err != nil {
		return nil, &notAskedError{err}
	}
	rows, err := t.tx.Query(ctx, target.Request{SQL: sql, Params: params})
	if err != nil {
		return nil, err
	}
	return gather(rows)
}

// Commit commits. It blocks until the node has answered, or ctx ends. The error is a *NodeError;
// target.OutcomeOf tells what became of the transaction.
func (t *Transaction) Commit(ctx context.Context) error { return t.end(ctx, "COMMIT", t.tx.Commit) }

// Rollback undoes everything. It blocks until the node has answered, or its connection is closed.
// After Commit it does nothing.
func (t *Transaction) Rollback(ctx context.Context) error {
	return t.end(ctx, "ROLLBACK", t.tx.Rollback)
}

func (t *Transaction) end(ctx context.Context, statement string, do func(context.Context) error) (err error) {
	n := t.node
	// A transaction must be ended though the cluster closes.
	end := n.said(ctx, statement)
	err = do(ctx)
	end(err)
	if err != nil {
		return n.failed(statement, err)
	}
	return nil
}

// said begins to record one statement of a transaction, as an operation that changes nothing by
// itself. If ctx has an operation, only the node is added to that.
func (n *Node) said(ctx context.Context, statement string) (end func(error)) {
	if open := journal.FromContext(ctx); open != nil {
		open.Asked(n.index, "", "a transaction, at last: "+statement)
		return func(error) {}
	}
	open := n.cluster.journal.Invoke(journal.Op{Client: journal.None})
	open.Asked(n.index, "", "in a transaction: "+statement)
	return func(err error) { open.End(OutcomeOf(err), nil, err) }
}
