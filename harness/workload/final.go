package workload

import (
	"context"
	"errors"
	"fmt"

	"github.com/rejoin-db/rejoin/harness"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// onEach reads from the local state of every node, and joins the errors.
func onEach(c *harness.Cluster, read func(*harness.Node) error) error {
	var errs []error
	for _, node := range c.Reading(target.Local).Nodes() {
		errs = append(errs, read(node))
	}
	return errors.Join(errs...)
}

// final runs one request on every node, and records it as final.
func final(ctx context.Context, c *harness.Cluster, op Operation) error {
	return onEach(c, func(node *harness.Node) error {
		return finalOn(ctx, c, node, op)
	})
}

// finalOn is final on one node.
func finalOn(ctx context.Context, c *harness.Cluster, node *harness.Node, op Operation) error {
	op.Op.Client, op.Op.Level, op.Op.Final = journal.None, journal.Local, true
	open := c.Journal().Invoke(op.Op)
	result, err := node.Execute(open.Context(ctx), op.SQL, op.Args...)
	if err != nil {
		open.End(harness.OutcomeOf(err), nil, err)
		return fmt.Errorf("final read: %w", err)
	}
	steps, err := op.Read(result)
	open.End(journal.OK, steps, err)
	if err != nil {
		return fmt.Errorf("final read: %w", err)
	}
	return nil
}
