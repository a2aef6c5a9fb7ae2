package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Interactive returns the workloads of interactive transactions at a level, each in a namespace that begins with ns,
// that keep every rule of check.All at that level: all at target.Serializable, the bank at target.Snapshot, and none at
// weaker levels. Setup of each is an error that wraps a *harness.UnsupportedError on a target without transactions.
func Interactive(ns string, level target.Isolation) []Workload {
	switch level {
	case target.Serializable:
		return []Workload{
			InteractiveLists(ns+"_ilists", level),
			InteractiveRegisters(ns+"_iregisters", level),
			InteractiveBank(ns+"_ibank", level),
		}
	case target.Snapshot:
		return []Workload{InteractiveBank(ns+"_ibank", level)}
	default:
		return nil
	}
}

// interactive is what the workloads of interactive transactions have in common.
type interactive struct {
	name  string
	sql   statements
	level target.Isolation
}

func newInteractive(name, ns string, level target.Isolation) interactive {
	return interactive{name, readStatements(name, ns), level}
}

func (w *interactive) Name() string { return w.name }

// Setup runs the request named setup until it succeeds, on a cluster that has the level.
func (w *interactive) Setup(ctx context.Context, c *harness.Cluster) error {
	if !c.Can(target.Transactions) {
		return &harness.UnsupportedError{Ability: target.Transactions}
	}
	if !slices.Contains(c.Isolations(), w.level) {
		return errors.New("the target has no isolation level " + string(w.level))
	}
	return w.sql.setup(ctx, c)
}

// operation is a transaction that is to do these steps, and does them by run.
func (w *interactive) operation(
	model journal.Model, steps []journal.Step, run func(context.Context, *harness.Transaction) ([]journal.Step, error),
) Operation {
	return Operation{Op: journal.Op{Model: model, Level: journal.Local, Steps: steps}, Isolation: w.level, Transaction: run}
}

// within executes the request with that name in a transaction.
func (w *interactive) within(ctx context.Context, t *harness.Transaction, request string, args ...any) (harness.Result, error) {
	return t.Execute(ctx, w.sql.get(request), args...)
}

// transact runs an operation in an interactive transaction at a random online node, and records its outcome. It tells
// whether the operation got no answer. Without a COMMIT nothing takes effect.
func (c *client) transact(ctx context.Context, op Operation) (outcome journal.Outcome, refused bool) {
	cluster := c.running.cluster
	open := cluster.Journal().Invoke(op.Op)
	ctx = open.Context(ctx)
	tx, err := cluster.BeginOnRandom(ctx, op.Isolation)
	if err != nil {
		open.End(journal.Failed, nil, err)
		return journal.Failed, true
	}
	steps, err := op.Transaction(ctx, tx)
	if err == nil {
		err = tx.Commit(ctx)
		outcome = harness.OutcomeOf(err)
	} else {
		outcome = journal.Failed
	}
	if err == nil {
		open.End(journal.OK, steps, nil)
		return journal.OK, false
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.running.load.Deadline)
	defer cancel()
	err = errors.Join(err, tx.Rollback(ending))
	open.End(outcome, nil, err)
	if errors.Is(err, target.ErrConflict) || errors.Is(err, errDeclined) || op.Refused != nil && op.Refused(err) {
		return outcome, false
	}
	if said := (*target.Error)(nil); !errors.As(err, &said) {
		c.running.note(fmt.Errorf("invalid answer to %s: %w", op.Op, err))
	}
	_, refused = c.explain(op, err)
	return outcome, refused
}

// errDeclined is why a client rolls its transaction back by its own choice.
var errDeclined = errors.New("the client rolls back")
