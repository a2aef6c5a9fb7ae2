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
// multiset otherwise. Answers stream; none is held in memory.
//
// It first waits until every online node has applied what any online node knew to be
// committed at the call. A difference counts only if all nodes were at one log index before
// and after they answered; otherwise it compares again, so that concurrent writes raise no
// false alarm. The nodes of a target that reports no indexes are compared again until they
// agree or the wait ends. A wait ends with ctx, after Settling if ctx has no deadline, and
// after five seconds for a node that does not report its status. AsIs compares the nodes
// once, without waiting.
//
// It returns nil if all online nodes answer alike, an *InconsistencyError if two differ,
// ErrNoNodesOnline if no node is online, a *WaitError if a node does not catch up, has
// failed (ErrFailed) or does not report its status (ErrUnreachable), an *UnsettledError if
// the data never stopped changing, and a *NodeError if a node does not answer, or answers
// with anything but the rows of one query.
func (c *Cluster) VerifyDataConsistency(ctx context.Context, query string, args ...any) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	event := journal.Event{At: time.Now(), Kind: journal.Check, Node: journal.None, Text: "compare " + sqltext.Abridged(query)}
	if err = c.verify(ctx, query, args); err != nil {
		event.Err, event.Differs = err.Error(), differing(err)
	}
	event.Took = time.Since(event.At)
	c.journal.Record(event)
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
		after := observeNodes(waiting, nodes, probeTimeout)
		if sameIndex(before, after) {
			return appliedAt(err, before[0].Status.AppliedIndex)
		}
		select {
		case <-poll.next():
		case <-waiting.Done():
			if !c.indexed.Load() {
				return err
			}
			unsettled := newUnsettledError(query, comparisons, after)
			unsettled.Waited, unsettled.Last, unsettled.Err = time.Since(begun), err, context.Cause(waiting)
			return unsettled
		}
	}
}

// mayPass tells whether nodes at different log indexes may be the cause: rows differ, or
// only some nodes could run the statement.
func mayPass(err error) bool {
	var difference *InconsistencyError
	var said *target.Error
	return errors.As(err, &difference) || errors.As(err, &said) && said.Outcome == target.NotApplied && !said.Temporary
}

// appliedAt adds to a proven difference the log index that all nodes had applied.
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

// refuseChanges returns an error for a statement that changes data: every node would run it.
func refuseChanges(query string) error {
	statements, err := sqltext.Split(query)
	if err != nil {
		return nil // the nodes report the syntax error
	}
	for _, s := range statements {
		if s.Kind != sqltext.Other || s.ChangesRows() || s.ChangesSchema() {
			return fmt.Errorf("only the answers to a query can be compared, and this changes data: %s", sqltext.Abridged(s.Text))
		}
	}
	return nil
}
