package fake

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is a fake node.
type Node struct {
	cluster *Cluster
	index   int

	// guarded by the cluster's mutex
	isolated   bool
	down       bool
	paused     bool
	voter      bool
	led        []uint64 // terms that it has led in this life
	applied    uint64
	remembered map[string]bool

	mu       sync.Mutex
	answers  map[string]*Answer
	onQuery  func(context.Context, target.Request) error
	onStatus func(context.Context, target.Status) (target.Status, error)
	asked    []target.Request
	inside   []target.Request
	probes   int
}

var _ target.Node = (*Node)(nil)

// ID returns n0, n1 and so on.
func (n *Node) ID() string { return fmt.Sprintf("n%d", n.index) }

// Client returns the client side, which is refused while the node is isolated.
func (n *Node) Client() target.SQL { return place{n, false} }

// Inside returns the side of the node, which is never refused.
func (n *Node) Inside() target.SQL { return place{n, true} }

// Answers sets the answer of the node to a statement.
func (n *Node) Answers(sql string, answer *Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[sql] = answer
}

// OnQuery sets a hook that runs before each statement. If it returns an error, that is the result.
func (n *Node) OnQuery(hook func(context.Context, target.Request) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onQuery = hook
}

// OnStatus sets a hook that receives the status of the node and returns the one to show.
func (n *Node) OnStatus(hook func(context.Context, target.Status) (target.Status, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onStatus = hook
}

// Asked returns the requests through Client so far.
func (n *Node) Asked() []target.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.asked)
}

// AskedInside returns the requests through Inside so far.
func (n *Node) AskedInside() []target.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.inside)
}

// Status returns the status of a healthy node, or the result of OnStatus. It fails for a node that is down, and blocks
// until ctx ends for one that is paused.
func (n *Node) Status(ctx context.Context) (target.Status, error) {
	n.mu.Lock()
	n.probes++
	hook := n.onStatus
	n.mu.Unlock()
	if err := n.answering(ctx); err != nil {
		return target.Status{}, err
	}
	status := n.status()
	if hook != nil {
		return hook(ctx, status)
	}
	return status, nil
}

// Probes returns the number of calls of Status.
func (n *Node) Probes() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.probes
}

// answering blocks until ctx ends if the node is paused, and returns an error if it is down.
func (n *Node) answering(ctx context.Context) error {
	n.cluster.mu.Lock()
	down, paused := n.down, n.paused
	n.cluster.mu.Unlock()
	if paused {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if down {
		return n.unreachable()
	}
	return nil
}

func (n *Node) status() target.Status {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	status := target.Status{ID: n.ID(), State: target.Online, Role: "follower", Leader: "n0", Term: 2,
		CommitIndex: n.applied, AppliedIndex: n.applied, LedTerms: slices.Clone(n.led), Voter: n.voter, LogEntries: n.applied}
	switch {
	case n.index == 0:
		status.Role = "leader"
	case n.isolated:
		status.State, status.Leader = target.Connecting, ""
	}
	return status
}

// catchUpLocked applies all committed requests, if the node can reach the others.
func (n *Node) catchUpLocked() {
	if n.isolated || n.down || n.paused {
		return
	}
	for _, id := range n.cluster.log[n.applied:] {
		n.applied++
		if id != "" {
			n.remembered[id] = true
		}
	}
}

// place is the side from which a request comes.
type place struct {
	node   *Node
	inside bool
}

func (p place) Query(ctx context.Context, request target.Request) (target.Rows, error) {
	n := p.node
	n.mu.Lock()
	hook, answer := n.onQuery, n.answers[request.SQL]
	if p.inside {
		n.inside = append(n.inside, request)
	} else {
		n.asked = append(n.asked, request)
	}
	n.mu.Unlock()
	if hook != nil {
		if err := hook(ctx, request); err != nil {
			return nil, err
		}
	}
	if err := n.answering(ctx); err != nil {
		return nil, err
	}
	n.cluster.mu.Lock()
	refused := n.isolated && !p.inside
	n.cluster.mu.Unlock()
	switch {
	case refused:
		return nil, n.unreachable()
	case answer == nil:
		answer = Change(1)
	}
	if answer.changed {
		n.cluster.commit(request.ID)
	}
	return answer.begin(), nil
}

func (n *Node) unreachable() error {
	return &target.Error{
		Node: n.ID(), Code: "UNREACHABLE", Message: "connection refused",
		Outcome: target.NotApplied, Kind: target.ErrUnreachable,
	}
}
