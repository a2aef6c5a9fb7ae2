package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// VerifyDataConsistency compares what all online nodes answer, each from its own state:
// every value of every row, in order if the query has an ORDER BY of its own, and as a
// bag otherwise. Answers stream; none is held in memory.
//
// It first waits until every online node has applied what any online node knows to be
// committed at the call. A difference counts only if the nodes were at one log index
// when they answered; otherwise it waits and compares again, so that concurrent writes
// raise no false alarm. A target that reports no indexes is compared again until the
// nodes agree or the wait ends. Waits end with ctx, after Settling if ctx has no
// deadline, and after five seconds for a node that does not report its status.
// AsIs compares the nodes once, as they are.
//
// It returns nil if all online nodes answer alike, an *InconsistencyError if two differ,
// ErrNoNodesOnline if there is none, a *WaitError if a node does not catch up, has
// failed (ErrFailed) or cannot be asked (ErrUnreachable), an *UnsettledError if
// the data never stopped changing, and a *NodeError if a node does not answer, or
// answers with anything but the rows of one query.
func (c *Cluster) VerifyDataConsistency(ctx context.Context, query string, args ...any) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	end := c.journal.Begin(journal.Check, journal.Nobody, "compare %s", sqltext.Abridged(query))
	err = c.verify(ctx, query, args)
	end(err)
	return err
}

func (c *Cluster) verify(ctx context.Context, query string, args []any) error {
	if err := refuseChanges(query); err != nil {
		return err
	}
	if c.asIs {
		return c.compare(ctx, c.OnlineNodes(), query, args)
	}
	waiting, cancel := settling(ctx)
	defer cancel()
	begun, poll := time.Now(), newPoll()
	defer poll.stop()
	for comparisons := 1; ; comparisons++ {
		before, err := c.settle(waiting, c.OnlineNodes())
		if err == nil && len(before) == 0 {
			err = ErrNoNodesOnline
		}
		if err != nil {
			return err
		}
		nodes := nodesOf(before)
		err = c.compare(ctx, nodes, query, args)
		if err == nil || !mayPass(err) {
			return err
		}
		if sameIndex(before, observeNodes(waiting, nodes, probeTimeout)) {
			return appliedAt(err, before[0].Status.AppliedIndex)
		}
		select {
		case <-poll.next():
		case <-waiting.Done():
			if !c.indexed.Load() {
				return err
			}
			return &UnsettledError{Query: query, Comparisons: comparisons, Waited: time.Since(begun), Last: err, Err: context.Cause(waiting)}
		}
	}
}

// mayPass tells whether what a comparison found may be due to nodes that were at
// different log indexes: different rows, or a statement that only some could run.
func mayPass(err error) bool {
	var difference *InconsistencyError
	var said *target.Error
	return errors.As(err, &difference) || errors.As(err, &said) && said.Outcome == target.NotApplied && !said.Temporary
}

// appliedAt notes in a proven difference the log index that all nodes had applied.
func appliedAt(err error, index uint64) error {
	if difference := (*InconsistencyError)(nil); errors.As(err, &difference) {
		difference.A.Applied, difference.B.Applied = index, index
	}
	return err
}

// compare asks the nodes at once and compares their answers.
func (c *Cluster) compare(ctx context.Context, nodes []*Node, query string, args []any) error {
	if len(nodes) == 0 {
		return ErrNoNodesOnline
	}
	return c.comparer.Compare(ctx, comparison(nodes, query, args))
}

// refuseChanges refuses what would change the data once for each node.
func refuseChanges(query string) error {
	statements, err := sqltext.Split(query)
	if err != nil {
		return nil // the nodes know better
	}
	for _, s := range statements {
		if s.Kind != sqltext.Other || s.ChangesRows() || s.ChangesSchema() {
			return fmt.Errorf("only the answers to a query can be compared, and this changes data: %s", sqltext.Abridged(s.Text))
		}
	}
	return nil
}
