package harness

import (
	"context"
	"fmt"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/sqltext"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Survey returns the faults in force around the members, as the target's networks, disks and
// clocks report them. Faults, in contrast, returns what the cluster was asked for. Isolation by
// TakeNodeOffline shows as links that are cut; a link that flaps shows its current rule. Links
// are directed, and only faulty ones are listed. It asks past every fault, and blocks until all
// have answered.
func (c *Cluster) Survey(ctx context.Context) (_ Faults, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return Faults{}, err
	}
	defer leave(&err)
	inspector, can := target.As[target.FaultInspector](c.cluster)
	if !can {
		return Faults{}, fmt.Errorf("survey: %w", &UnsupportedError{target.Survey})
	}
	found := newFaults()
	places := append(c.indexes(), fault.Clients)
	for _, from := range places {
		for _, to := range places {
			if from == to {
				continue
			}
			link := fault.Link{From: from, To: to}
			state, err := inspector.Link(ctx, from, to)
			if err != nil {
				return Faults{}, fmt.Errorf("survey the link %s: %w", link, err)
			}
			setOrDelete(found.Links, link, state.Rule)
			setOrDelete(found.Resets, link, state.Reset)
		}
	}
	for _, node := range c.Nodes() {
		faults, err := inspector.Disk(ctx, node.index)
		if err != nil {
			return Faults{}, node.failed("survey the disk", err)
		}
		setOrDelete(found.Disks, node.index, faults)
		ahead, err := inspector.Clock(ctx, node.index)
		if err != nil {
			return Faults{}, node.failed("survey the clock", err)
		}
		setOrDelete(found.Clocks, node.index, ahead)
	}
	return found, nil
}

// Diverge runs statements on the node's own database as one transaction that is not replicated.
// No fault does that: it serves to test that a comparison of nodes detects a difference. The
// node loses the difference when it restarts or installs a snapshot. If a statement fails
// nothing changes. It blocks until the statements are done.
func (n *Node) Diverge(ctx context.Context, sql string) (err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return n.failed("diverge", err)
	}
	defer leave(&err)
	diverger, can := target.As[target.Diverger](n.cluster.cluster)
	if !can {
		return n.failed("diverge", &UnsupportedError{target.Diverge})
	}
	if _, err := n.cluster.Node(n.index); err != nil {
		return err
	}
	event := n.cluster.recordFault(journal.Once, fault.Fault{Kind: fault.KindDiverge, Node: n.index}, sqltext.Abridged(sql))
	if err = diverger.Diverge(ctx, n.index, sql); err != nil {
		err = n.failed("diverge", err)
	}
	event.end(err, nil, nil)
	return err
}
