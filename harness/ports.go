package harness

import (
	"context"
	"net"

	"github.com/rejoin-db/rejoin/harness/fault"
	"github.com/rejoin-db/rejoin/harness/journal"
	"github.com/rejoin-db/rejoin/harness/target"
)

// Dial connects to the node's port as a client does, over the links of clients. Nothing is sent
// yet. It blocks until the connection is established or ctx ends. The caller closes the
// connection.
func (n *Node) Dial(ctx context.Context) (_ net.Conn, err error) {
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return nil, n.failed("connect", err)
	}
	defer leave(&err)
	dialer, can := target.As[target.Dialer](n.cluster.cluster)
	if !can {
		return nil, n.failed("connect", &UnsupportedError{target.Dial})
	}
	if _, err := n.cluster.Node(n.index); err != nil {
		return nil, n.failed("connect", err)
	}
	conn, err := dialer.Dial(ctx, n.index)
	if err != nil {
		return nil, n.failed("connect", err)
	}
	return conn, nil
}

// Token returns the token by which clients authenticate to nodes, and nodes to each other; empty
// if there is none, or if the target lacks the ability target.Dial.
func (c *Cluster) Token() string {
	dialer, can := target.As[target.Dialer](c.cluster)
	if !can || c.isClosed() {
		return ""
	}
	return dialer.Token()
}

// Impersonate listens at the address of the node, which was stopped or has crashed, like another
// program on its host. The caller closes the listener and the connections it has accepted before
// the node is brought back. The error wraps an *UnsupportedError if the target cannot.
func (n *Node) Impersonate() (net.Listener, error) {
	const action = "listen in its place"
	if _, err := n.cluster.Node(n.index); err != nil {
		return nil, n.failed(action, err)
	}
	listens, can := target.As[target.Listener](n.cluster.cluster)
	if !can {
		return nil, n.failed(action, &UnsupportedError{target.Dial})
	}
	listener, err := listens.Listen(n.index)
	if err != nil {
		return nil, n.failed(action, err)
	}
	return listener, nil
}

// MoveNode gives a node that was stopped or has crashed another address, and returns it: the one
// given, which another node has left, or a new one if it is empty. The node serves there once it
// is brought back. The other nodes are not told: until the list of members has the address,
// they connect to the old one.
func (c *Cluster) MoveNode(ctx context.Context, i int, address string) (at string, err error) {
	changer, can := target.As[target.AddressChanger](c.cluster)
	about := setting{"move", journal.Once, fault.Fault{Kind: fault.KindMove, Node: i}, aboutAddress, target.Addresses, can}
	err = c.set(ctx, i, about, func(ctx context.Context) (err error) {
		at, err = changer.Move(ctx, i, address)
		return err
	})
	return at, err
}
