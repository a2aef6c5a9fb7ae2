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

// member is what the harness knows of a node. The cluster's mutex guards what may
// change; way and isolated are changed only by who has moved the flag.
type member struct {
	node     *Node
	voter    bool
	flag     flag
	turns    int        // how often the flag moved
	mode     fault.Mode // how it was lost last
	isolated bool       // whether its links are cut, also if it was lost further since
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

// Size is how many nodes are members of the cluster, online or not; 0 once it is closed.
func (c *Cluster) Size() int { return len(c.Nodes()) }

// Node returns the node of that index, whatever its flag says, or an
// *IndexError, or a *RemovedError for a node that is no member any more.
func (c *Cluster) Node(i int) (*Node, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	return c.nodeAt(i)
}

// nodeAt is Node also while the cluster closes.
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

// Nodes returns all members, whatever their flags say. A node keeps its index for
// good, so the indexes have gaps once a node was removed.
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

// view is the node as this view of the cluster asks it.
func (c *Cluster) view(m *member) *Node {
	node := *m.node
	node.reading, node.asIs = c.reading, c.asIs
	return &node
}

// Suffrage is whether a node votes.
type Suffrage string

const (
	Voter    Suffrage = "voter"
	NonVoter Suffrage = "non-voter" // is sent everything, and counts for no quorum
)

// AddNode adds a new node with an empty disk, a Voter unless said, whose flag is
// up. It blocks until the cluster has taken it in, which needs a quorum, and for
// a voter takes until it has caught up. Members are changed one at a time.
func (c *Cluster) AddNode(ctx context.Context, suffrage ...Suffrage) (_ *Node, err error) {
	ctx, leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave(&err)
	change := journal.MemberChange{Added: true, Voter: len(suffrage) == 0 || suffrage[0] == Voter}
	e := journal.Event{At: time.Now(), Kind: journal.Member, Node: journal.Nobody, Member: &change}
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
		return nil, fmt.Errorf("a node is a %s or a %s, and not %v", Voter, NonVoter, suffrage)
	case len(suffrage) == 1 && suffrage[0] != Voter && suffrage[0] != NonVoter:
		return nil, fmt.Errorf("no node is a %q: it is a %s or a %s", string(suffrage[0]), Voter, NonVoter)
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

// admit gives the node its place in the list. What a target lists of earlier nodes
// that could not be added is nobody's.
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

// whole is the cluster, whatever view of it this is.
func (c *Cluster) whole() *Cluster {
	whole := *c
	whole.reading, whole.asIs = target.Default, false
	return &whole
}

// RemoveNode takes a node out of the cluster, online or offline, and ends it. It
// blocks until that is done, which needs a quorum of the others. The node keeps
// its index and is never asked, counted or compared again: using it is a
// *RemovedError. If it fails the flag is as it was.
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

// resting is the node's flag, if nobody is about to change it.
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

// ReplaceNode adds a new node, a voter if the dead one is, and then removes the
// dead one. In this order, because the new node only listens until it has caught
// up: until then no vote has been given away for one that may never come, and the
// dead node, if it is not quite dead, can still return. If only the removal fails,
// the new node is returned with the error.
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
