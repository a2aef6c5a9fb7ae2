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
	led        []uint64 // as it forgets when it is ended
	applied    uint64
	remembered map[string]bool

	mu       sync.Mutex
	answers  map[string]*Answer
	onQuery  func(context.Context, target.Request) error
	onStatus func(context.Context, target.Status) (target.Status, error)
	asked    []target.Request
	inside   []target.Request
	looks    int
}

var _ target.Node = (*Node)(nil)

// ID is n0, n1 and so on.
func (n *Node) ID() string { return fmt.Sprintf("n%d", n.index) }

// Client is refused while the node is isolated.
func (n *Node) Client() target.SQL { return place{n, false} }

// Inside is never refused.
func (n *Node) Inside() target.SQL { return place{n, true} }

// Answers tells the node the answer to a statement.
func (n *Node) Answers(sql string, answer *Answer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers[sql] = answer
}

// OnQuery is called before a statement is answered, which it is not on an error.
func (n *Node) OnQuery(hook func(context.Context, target.Request) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onQuery = hook
}

// OnStatus is given what the node would show, and returns what it shows.
func (n *Node) OnStatus(hook func(context.Context, target.Status) (target.Status, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.onStatus = hook
}

// Asked are the requests that its clients sent, those beside it not counted.
func (n *Node) Asked() []target.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.asked)
}

// AskedInside are the requests from beside it.
func (n *Node) AskedInside() []target.Request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.inside)
}

// Status shows a healthy node, or whatever OnStatus makes of it. A node that does
// not run cannot be asked, and one that is paused does not answer.
func (n *Node) Status(ctx context.Context) (target.Status, error) {
	n.mu.Lock()
	n.looks++
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

// Looks is how often its status was asked for.
func (n *Node) Looks() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.looks
}

// answering blocks as long as a paused node does, until ctx ends.
func (n *Node) answering(ctx context.Context) error {
	n.cluster.mu.Lock()
	down, paused := n.down, n.paused
	n.cluster.mu.Unlock()
	if paused {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	if down {
		return &target.Error{Node: n.ID(), Code: "UNREACHABLE", Message: "connection refused", Outcome: target.NotApplied, Kind: target.ErrUnreachable}
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

// catchUpLocked applies all that is committed, if the node is reached by the others.
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

// place is where a request comes from.
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
		return nil, &target.Error{Node: n.ID(), Code: "UNREACHABLE", Message: "connection refused", Outcome: target.NotApplied, Kind: target.ErrUnreachable}
	case answer == nil:
		answer = Change(1)
	}
	if answer.changed {
		n.cluster.commit(request.ID)
	}
	return answer.begin(), nil
}
