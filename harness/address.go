package harness

import (
	"context"
	"errors"

	"github.com/rejoin-db/rejoin/harness/target"
)

// ErrNoSocket is wrapped by the error of Node.Address in virtual time and on hosts: the network
// is the cluster's own, so no socket of this process reaches it. Node.Dial connects there.
var ErrNoSocket = errors.New("the address is of the cluster's own network, which no socket reaches: connect with Node.Dial")

// errNoAddress is the error where the target does not fill target.Status.Address.
var errNoAddress = errors.New("the target does not tell the address of its nodes")

// Address returns the host and port at which the node serves its clients, for an
// application's own client. The node keeps it over all its lives, until MoveNode gives it
// another. It blocks until the target has answered, past every fault, or ctx ends; a node
// that does not run has its address, too. The error is a *NodeError.
//
// A client that connects to the address by itself is not on a link of the cluster: it
// reaches a node that is isolated from its clients, and no rule of SetLink is about it.
// A client whose connections come from Node.Dial is on the links of the cluster's clients.
// For HTTP:
//
//	http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return node.Dial(ctx) }}
//
// In virtual time and on hosts the address comes with an error that wraps ErrNoSocket.
func (n *Node) Address(ctx context.Context) (_ string, err error) {
	const action = "ask for address"
	ctx, leave, err := n.cluster.enter(ctx)
	if err != nil {
		return "", n.failed(action, err)
	}
	defer leave(&err)
	if _, err := n.cluster.Node(n.index); err != nil { // no longer a member
		return "", n.failed(action, err)
	}
	status, err := n.node.Status(ctx)
	switch {
	case err != nil:
		return "", n.failed(action, err)
	case status.Address == "":
		return "", n.failed(action, errNoAddress)
	case n.cluster.Can(target.Time) || target.Encloses(n.cluster.cluster):
		return status.Address, n.failed(action, ErrNoSocket)
	}
	return status.Address, nil
}
