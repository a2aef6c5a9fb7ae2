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

// ID is the node's name in the database.
func (n *Node) ID() string { return n.node.ID() }

// String returns the node as in "node 1 (n1)".
func (n *Node) String() string { return n.describe() }

// Cluster is the cluster the node belongs to.
func (n *Node) Cluster() *Cluster { return n.cluster }

// Inside returns a view of the node that is reached past every fault, as from its own host.
// It shows what an isolated node holds.
func (n *Node) Inside() *Node {
	m := *n
	m.inside = true
	return &m
}

// Reading returns a view of the node whose requests read with that consistency.
func (n *Node) Reading(consistency target.Consistency) *Node {
	m := *n
	m.reading = consistency
	return &m
}

// Execute runs one request on this node and returns the whole answer. It blocks
// until the answer is complete or ctx ends. The error is a *NodeError; target.OutcomeOf
// tells whether the request was applied.
//
// A request that reads with target.Local first waits until the node has applied the latest
// schema change that any node acknowledged, so that it knows the tables that the request may
// name. The wait ends with ctx, or after Settling. A node that is offline is asked without a
// wait, and so are the views Inside and AsIs.
func (n *Node) Execute(ctx context.Context, sql string, args ...any) (Result, error) {
	return n.executeAs(ctx, n.cluster.requests.next(), sql, args)
}

// ExecuteAs is Execute for a request with a name that the caller chooses (target.Request.ID).
// The name must be unique in the cluster; the harness's own begin with "harness-". A target
// with the ability target.Dedup applies a request once, however often it is sent under its name.
func (n *Node) ExecuteAs(ctx context.Context, id, sql string, args ...any) (Result, error) {
	return n.executeAs(ctx, id, sql, args)
}

// executeAs runs a request of that name, and records it.
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

// Query runs one request on this node and returns the answer as it arrives, for answers that
// are too large for memory. The caller closes the rows. It waits as Execute does.
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

// Status asks the node for its status, past every fault, and notes what it shows in the
// journal and for VerifyInvariants. A node that the harness has stopped, crashed or paused is
// not asked: its state is target.Offline, with a reason.
func (n *Node) Status(ctx context.Context) (_ target.Status, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return target.Status{}, n.failed("ask for status", err)
	}
	defer leave(&err)
	begun := n.cluster.asking(n.index)
	status, asked, err := n.ask(ctx)
	if err == nil && asked {
		n.cluster.note(n, status, begun)
	}
	return status, err
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

// peek is Status without noting anything.
func (n *Node) peek(ctx context.Context) (target.Status, error) {
	if n.cluster.isClosed() {
		return target.Status{}, n.failed("ask for status", &notAskedError{ErrClosed})
	}
	status, _, err := n.ask(ctx)
	return status, err
}

// Log returns the end of the node's log over all its restarts, at most that many bytes. The
// error wraps an *UnsupportedError if the target keeps no logs.
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

// Files lists the files that the node keeps, in order, whether or not it runs. The error wraps
// an *UnsupportedError if the target cannot list them.
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

// absent returns the status of a node that is known not to answer.
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

// remember notes what the node forgets when it stops: the terms it led. Errors are ignored:
// best effort.
func (n *Node) remember(ctx context.Context) {
	_, _ = n.probe(ctx)
}

func (n *Node) failed(action string, err error) error {
	n.cluster.wordless.note(err)
	return &NodeError{Node: n.index, ID: n.node.ID(), Action: action, Err: err}
}

func (n *Node) describe() string { return "node " + itoa(n.index) + " (" + n.node.ID() + ")" }
