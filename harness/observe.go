package harness

import (
	"context"
	"sync"
	"time"

	"github.com/rejoin-db/rejoin/harness/target"
)

// probeTimeout bounds one probe of many, so that a node that hangs delays none of the
// others. A node that does not answer in time is unknown; waits probe again.
const probeTimeout = time.Second

// singleProbeTimeout bounds a probe that is not repeated.
const singleProbeTimeout = 5 * time.Second

// Observation is what a node showed when it was asked for its status.
type Observation struct {
	Node   *Node
	Status target.Status
	Err    error // why the node could not be asked; nil if it could
}

// runs tells whether the node itself has answered.
func (o Observation) runs() bool { return o.Err == nil && o.Status.State != target.Offline }

// Observe asks all members for their status, in parallel and past every fault. It blocks
// for a second at most: a node that does not answer by then has an Err.
func (c *Cluster) Observe(ctx context.Context) []Observation { return c.observe(ctx, probeTimeout) }

// Peek is Observe for reports: the cluster notes nothing of what the nodes show, neither in
// its journal nor for VerifyInvariants, so a report changes nothing. A report may ask a
// cluster in virtual time from outside its bubble.
func (c *Cluster) Peek(ctx context.Context) []Observation {
	return askAll(ctx, c.Nodes(), probeTimeout, (*Node).peek)
}

func (c *Cluster) observe(ctx context.Context, timeout time.Duration) []Observation {
	return observeNodes(ctx, c.Nodes(), timeout)
}

// observeNodes asks the nodes in parallel.
func observeNodes(ctx context.Context, nodes []*Node, timeout time.Duration) []Observation {
	return askAll(ctx, nodes, timeout, (*Node).Status)
}

type askFunc func(*Node, context.Context) (target.Status, error)

func askAll(ctx context.Context, nodes []*Node, timeout time.Duration, ask askFunc) []Observation {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	observed := make([]Observation, len(nodes))
	var wg sync.WaitGroup
	for i, node := range nodes {
		wg.Go(func() {
			observed[i].Node = node
			observed[i].Status, observed[i].Err = ask(node, ctx)
		})
	}
	wg.Wait()
	return observed
}

// committed is the highest log index that any node knows to be committed. What was
// acknowledged is at or below it. It is not known if no node could be asked.
func committed(observed []Observation) (highest uint64, known bool) {
	for _, o := range observed {
		if o.runs() {
			highest, known = max(highest, o.Status.CommitIndex), true
		}
	}
	return highest, known
}

// probe asks the node for its status, for a second at most.
func (n *Node) probe(ctx context.Context) (target.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return n.Status(ctx)
}
