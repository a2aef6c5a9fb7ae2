package harness

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Node is one node of a cluster, reached as its clients reach it, whatever its
// flag says: over links that a fault may have cut. It is safe for concurrent use.
type Node struct {
	cluster *Cluster
	node    target.Node
	index   int
	reading target.Consistency
	inside  bool
	asIs    bool
}

// Index is the node's place in the cluster, from 0.
func (n *Node) Index() int { return n.index }

// ID is the node's name.
func (n *Node) ID() string { return n.node.ID() }

// String is how reports call the node.
func (n *Node) String() string { return n.describe() }

// Cluster is the cluster the node belongs to.
func (n *Node) Cluster() *Cluster { return n.cluster }

// Inside is the same node reached past every fault, as by somebody who sits
// beside it. It serves to look what an isolated node really holds.
func (n *Node) Inside() *Node {
	m := *n
	m.inside = true
	return &m
}

// Reading is the same node, asked with that consistency.
func (n *Node) Reading(consistency target.Consistency) *Node {
	m := *n
	m.reading = consistency
	return &m
}

// Execute runs one request on this node and returns the whole answer. It blocks
// until the answer is there or ctx ends. The error is a *NodeError; what became
// of the request, target.OutcomeOf tells.
//
// A request with the consistency target.Local first waits until the node has applied
// the latest schema change that was acknowledged by any node, so that the node knows
// the tables that the request may name. The wait ends with ctx, or after Settling. There
// is none for a node that is offline, Inside or AsIs.
func (n *Node) Execute(ctx context.Context, sql string, args ...any) (Result, error) {
	return n.executeAs(ctx, n.cluster.requests.next(), sql, args)
}

// ExecuteAs is Execute of a request with a name of the caller's (target.Request.ID),
// which must be unlike every other name in the cluster: the harness's own begin with
// "harness-". Sent again under its name the request is applied once, where the target
// can target.Dedup.
func (n *Node) ExecuteAs(ctx context.Context, id, sql string, args ...any) (Result, error) {
	return n.executeAs(ctx, id, sql, args)
}

// executeAs runs a request of that name, and writes it down.
func (n *Node) executeAs(ctx context.Context, id, sql string, args []any) (_ Result, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return Result{}, n.failed("execute", err)
	}
	defer leave(&err)
	end := n.cluster.operation(ctx, n.index, id, sql)
	result, changed, err := n.execute(ctx, id, sql, args)
	end(err)
	if changed && changesSchema(sql) {
		n.cluster.noteSchema(ctx, n)
	}
	return result, err
}

func (n *Node) execute(ctx context.Context, id, sql string, args []any) (_ Result, changed bool, _ error) {
	rows, err := n.query(ctx, id, sql, args)
	if err != nil {
		return Result{}, false, err
	}
	tables, err := gather(rows)
	if err != nil {
		return Result{}, false, n.failed("execute", err)
	}
	if rows.Changed() {
		n.cluster.promises.Acknowledge(id)
	}
	return Result{Node: n.index, ID: n.node.ID(), Tables: tables}, rows.Changed(), nil
}

// Query runs one request on this node and returns the answer as it arrives, for
// answers that are too large for memory. The rows must be closed. It waits as Execute
// does.
func (n *Node) Query(ctx context.Context, sql string, args ...any) (target.Rows, error) {
	return n.query(ctx, "", sql, args)
}

func (n *Node) query(ctx context.Context, id, sql string, args []any) (_ target.Rows, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return nil, n.failed("execute", err)
	}
	defer func() {
		if err != nil {
			leave(&err)
		}
	}()
	params, err := values(args)
	if err == nil {
		_, err = n.cluster.Node(n.index) // a member still
	}
	if err == nil {
		err = n.awaitSchema(ctx)
	}
	if err != nil {
		return nil, n.failed("execute", &notAskedError{err})
	}
	sqlOf := n.node.Client
	if n.inside {
		sqlOf = n.node.Inside
	}
	rows, err := sqlOf().Query(ctx, target.Request{SQL: sql, Params: params, Consistency: n.reading, ID: id})
	if err != nil {
		return nil, n.failed("execute", err)
	}
	return &boundRows{rows, ctx, leave}, nil
}

// Status asks the node what it shows of itself, past every fault. A node of which
// the harness knows that it does not run or is frozen, because it was taken
// offline so, is not asked: its state is target.Offline, and the reason says why.
func (n *Node) Status(ctx context.Context) (_ target.Status, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return target.Status{}, n.failed("ask for status", err)
	}
	defer leave(&err)
	begun := n.cluster.asking(n.index)
	status, asked, err := n.ask(ctx)
	if err != nil || !asked {
		return status, err
	}
	if status.AppliedIndex > 0 {
		n.cluster.indexed.Store(true)
	}
	n.cluster.noteTerms(n, status.LedTerms)
	n.cluster.notePromises(n, status, begun)
	n.cluster.noteState(n.index, status)
	return status, nil
}

// ask asks the node, unless the harness knows that it does not run or is frozen.
func (n *Node) ask(ctx context.Context) (status target.Status, asked bool, err error) {
	status, known, err := n.cluster.absent(n.index)
	if !known {
		status, err = n.node.Status(ctx)
	}
	if err != nil {
		err = n.failed("ask for status", err)
	}
	return status, !known, err
}

// peek is Status, and the cluster notes nothing of it.
func (n *Node) peek(ctx context.Context) (target.Status, error) {
	if n.cluster.isClosed() {
		return target.Status{}, n.failed("ask for status", &notAskedError{ErrClosed})
	}
	status, _, err := n.ask(ctx)
	return status, err
}

// Log is the end of what the node said in all its lives, at most that many bytes.
// It is an *UnsupportedError where the target keeps no logs.
func (n *Node) Log(most int) (string, error) {
	if n.cluster.isClosed() {
		return "", n.failed("read log", ErrClosed)
	}
	logger, can := target.As[target.LogReader](n.cluster.cluster)
	if !can {
		return "", n.failed("read log", &UnsupportedError{target.Logs})
	}
	text, err := logger.Log(n.index, most)
	if err != nil {
		return "", n.failed("read log", err)
	}
	return text, nil
}

// Files lists the files that the node keeps, whether or not it runs, in order. It is an
// *UnsupportedError where the target cannot list them.
func (n *Node) Files(ctx context.Context) (_ []string, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return nil, n.failed("list files", err)
	}
	defer leave(&err)
	lister, can := target.As[target.FileLister](n.cluster.cluster)
	if !can {
		return nil, n.failed("list files", &UnsupportedError{target.Files})
	}
	files, err := lister.Files(ctx, n.index)
	if err != nil {
		return nil, n.failed("list files", err)
	}
	return files, nil
}

// absent is what can be said of a node without asking it, if anything.
func (c *Cluster) absent(i int) (status target.Status, known bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := c.members[i]; {
	case m.flag == removed:
		return status, true, m.removed()
	case m.flag == offline && m.mode != fault.Isolate:
		return target.Status{ID: m.node.ID(), State: target.Offline, LastContact: -1, Voter: m.voter, Reason: m.mode.Past()}, true, nil
	}
	return status, false, nil
}

// remember asks the node what is lost with it: the terms it led. Who cannot say
// it now cannot be helped.
func (n *Node) remember(ctx context.Context) {
	_, _ = n.probe(ctx)
}

func (n *Node) failed(action string, err error) error {
	return &NodeError{Node: n.index, ID: n.node.ID(), Action: action, Err: err}
}

func (n *Node) describe() string { return "node " + itoa(n.index) + " (" + n.node.ID() + ")" }
