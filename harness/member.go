package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// member is what the harness knows of a node. The cluster's mutex guards the fields that
// change; mode and isolated are changed only in a transition of the flag, by the call that
// began it.
type member struct {
	node     *Node
	voter    bool
	flag     flag
	turns    int        // how often the flag changed
	mode     fault.Mode // how it failed last
	isolated bool       // whether its links are cut, also if it failed in another mode since
}

func (m *member) removed() error {
	return &RemovedError{Node: m.node.index, ID: m.node.ID()}
}

// Votes tells whether the node counts for the quorum.
func (n *Node) Votes() bool {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	if n.cluster.closed {
		return false
	}
	m := n.cluster.members[n.index]
	return m.voter && m.flag != removed
}

// Size returns how many nodes are members of the cluster, online or not; 0 once it is closed.
func (c *Cluster) Size() int { return len(c.Nodes()) }

// Node returns the node with that index, whatever its flag says. The error is an *IndexError
// if there is none, and a *RemovedError if it was removed.
func (c *Cluster) Node(i int) (*Node, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	return c.nodeAt(i)
}

// nodeAt is Node, also while the cluster closes.
func (c *Cluster) nodeAt(i int) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case i < 0 || i >= len(c.members):
		return nil, &IndexError{Index: i, Size: len(c.members)}
	case c.members[i].flag == removed:
		return nil, c.members[i].removed()
	}
	return c.view(c.members[i]), nil
}

// Nodes returns all members, whatever their flags say. A node never changes its index, so the
// indexes have gaps once a node was removed.
func (c *Cluster) Nodes() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodesLocked(func(m *member) bool { return m.flag != removed })
}

func (c *Cluster) nodesLocked(of func(*member) bool) []*Node {
	if c.closed {
		return nil
	}
	var nodes []*Node
	for _, m := range c.members {
		if of(m) {
			nodes = append(nodes, c.view(m))
		}
	}
	return nodes
}

// view returns the node with the settings of this view of the cluster.
func (c *Cluster) view(m *member) *Node {
	node := *m.node
	node.reading, node.asIs = c.reading, c.asIs
	return &node
}

// Suffrage is whether a node votes.
type Suffrage string

const (
	Voter    Suffrage = "voter"
	NonVoter Suffrage = "non-voter" // receives the log, and does not count for the quorum
)

// AddNode adds a new node with an empty disk, whose flag is up. The suffrage is optional: the
// default is Voter, and more than one is an error. It blocks until the cluster has added the
// node, which needs a quorum; a voter is added once it has caught up. Members change one at a
// time.
func (c *Cluster) AddNode(ctx context.Context, suffrage ...Suffrage) (_ *Node, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave(&err)
	change := journal.MemberChange{Added: true, Voter: len(suffrage) == 0 || suffrage[0] == Voter}
	e := journal.Event{At: time.Now(), Kind: journal.Member, Node: journal.None, Member: &change}
	node, err := c.addNode(ctx, suffrage)
	if err != nil {
		err = fmt.Errorf("add a node: %w", err)
		e.Err = err.Error()
	} else {
		e.Node, e.Members = node.index, c.membersNow()
	}
	e.Took = time.Since(e.At)
	c.journal.Record(e)
	c.measureAfter(ctx, err)
	return node, err
}

func (c *Cluster) addNode(ctx context.Context, suffrage []Suffrage) (*Node, error) {
	membership, can := target.As[target.Membership](c.cluster)
	switch {
	case !can:
		return nil, &UnsupportedError{target.Members}
	case len(suffrage) > 1:
		return nil, fmt.Errorf("expected one suffrage, %s or %s, not %v", Voter, NonVoter, suffrage)
	case len(suffrage) == 1 && suffrage[0] != Voter && suffrage[0] != NonVoter:
		return nil, fmt.Errorf("unknown suffrage %q: expected %s or %s", string(suffrage[0]), Voter, NonVoter)
	}
	voter := len(suffrage) == 0 || suffrage[0] == Voter
	if err := c.joining.Lock(ctx); err != nil {
		return nil, err
	}
	defer c.joining.Unlock()
	added, err := membership.Add(ctx, voter)
	if err != nil {
		return nil, err
	}
	return c.admit(added, voter)
}

// admit appends the node to the list. Nodes that the target lists because it could not add them
// earlier count as removed.
func (c *Cluster) admit(added target.Node, voter bool) (*Node, error) {
	nodes := c.cluster.Nodes()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.members); i < len(nodes); i++ {
		m := &member{node: &Node{cluster: c.whole(), node: nodes[i], index: i}, voter: voter, flag: removed}
		c.members = append(c.members, m)
		if nodes[i].ID() == added.ID() {
			m.flag = online
			return c.view(m), nil
		}
	}
	return nil, fmt.Errorf("the target does not list the new node %s", added.ID())
}

// whole returns the cluster itself, without the settings of this view.
func (c *Cluster) whole() *Cluster {
	whole := *c
	whole.reading, whole.asIs = target.Default, false
	return &whole
}

// RemoveNode removes a node from the cluster, online or offline, and ends it. It blocks until
// that is done, which needs a quorum of the others. The node keeps its index, and is never
// asked, counted or compared again: its use is a *RemovedError. If RemoveNode fails the flag
// is what it was.
func (c *Cluster) RemoveNode(ctx context.Context, i int) (err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return err
	}
	defer leave(&err)
	node, err := c.Node(i)
	if err != nil {
		return err
	}
	change := journal.MemberChange{Voter: node.Votes()}
	e := journal.Event{At: time.Now(), Kind: journal.Member, Node: i, Member: &change}
	if err = c.removeNode(ctx, node); err != nil {
		err = node.failed("remove", err)
		e.Err = err.Error()
	} else {
		e.Members = c.membersNow()
		change.Ended = c.inForce.change(0, nil, func(a aspect) bool { return a.touches(i) })
	}
	e.Took = time.Since(e.At)
	c.journal.Record(e)
	c.measureAfter(ctx, err)
	return err
}

func (c *Cluster) removeNode(ctx context.Context, node *Node) error {
	membership, can := target.As[target.Membership](c.cluster)
	if !can {
		return &UnsupportedError{target.Members}
	}
	if err := c.joining.Lock(ctx); err != nil {
		return err
	}
	defer c.joining.Unlock()
	from, err := c.resting(node.index)
	if err != nil {
		return err
	}
	if from == online {
		node.remember(ctx)
	}
	err = c.change(node.index, from, beingRemoved, removed, func(*member) error { return membership.Remove(ctx, node.index) })
	if err == nil {
		c.forget(node.index)
	}
	return err
}

// resting returns the node's flag if it is not in a transition.
func (c *Cluster) resting(i int) (flag, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := c.members[i]; m.flag {
	case online, offline:
		return m.flag, nil
	case removed:
		return m.flag, m.removed()
	default:
		return m.flag, errors.New("its flag is being changed")
	}
}

// ReplaceNode adds a new node, with the suffrage of the dead one, and then removes the dead
// one. The new node does not vote until it has caught up, so in this order the quorum does not
// grow for a node that may never catch up, and the dead node can still return until then. If
// only the removal fails, the new node is returned with the error.
func (c *Cluster) ReplaceNode(ctx context.Context, dead int) (_ *Node, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave(&err)
	if _, err := c.Node(dead); err != nil {
		return nil, err
	}
	c.mu.Lock()
	suffrage := NonVoter
	if c.members[dead].voter {
		suffrage = Voter
	}
	c.mu.Unlock()
	added, err := c.AddNode(ctx, suffrage)
	if err != nil {
		return nil, err
	}
	return added, c.RemoveNode(ctx, dead)
}
