package harness

import (
	"context"
	"time"

	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Usage is what a node uses, and how far it lags. What the target does not report is 0.
type Usage struct {
	Node       int // index
	ID         string
	Memory     uint64 // bytes of the node's process
	LogEntries uint64
	Applied    uint64 // log index
	Lag        uint64 // entries that a node knew to be committed and this one had not applied
}

func (u Usage) String() string { return u.sample().String() }

func (u Usage) sample() journal.Sample {
	return journal.Sample{Applied: u.Applied, Behind: u.Lag, LogEntries: u.LogEntries, Memory: u.Memory}
}

// Measure asks all members in parallel what they use, and records one journal event a node.
// It leaves out nodes that do not run or are frozen. The error joins those of nodes that could
// not be asked; the usage of the others is returned all the same.
//
// The cluster measures on its own, for 100 ms at most, whenever a flag has changed or a wait
// has ended.
func (c *Cluster) Measure(ctx context.Context) (_ []Usage, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave(&err)
	observed := c.Observe(ctx)
	var errs []error
	for _, o := range observed {
		errs = append(errs, o.Err)
	}
	return c.write(observed), join(errs...)
}

// measureTimeout bounds what the cluster measures on its own.
const measureTimeout = 100 * time.Millisecond

// measureAfter measures after a change that did not fail. It leaves out nodes that do not answer.
func (c *Cluster) measureAfter(ctx context.Context, failed error) {
	if failed == nil && ctx.Err() == nil {
		c.write(c.observe(ctx, measureTimeout))
	}
}

func (c *Cluster) write(observed []Observation) []Usage {
	highest, _ := committed(observed)
	var usages []Usage
	for _, o := range observed {
		if o.runs() {
			usages = append(usages, c.writeOne(o.Node, o.Status, highest))
		}
	}
	return usages
}

func (c *Cluster) writeOne(n *Node, s target.Status, committed uint64) Usage {
	u := Usage{Node: n.index, ID: n.ID(), Memory: s.Memory, LogEntries: s.LogEntries, Applied: s.AppliedIndex}
	if committed > u.Applied {
		u.Lag = committed - u.Applied
	}
	sample := u.sample()
	c.journal.Record(journal.Event{Kind: journal.Resource, Node: u.Node, Sample: &sample})
	return u
}
