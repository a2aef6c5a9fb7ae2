package inprocess

import (
	"context"

	"github.com/rejoin-db/rejoin/harness/embedded"
	"github.com/rejoin-db/rejoin/harness/embedded/client"
	"github.com/rejoin-db/rejoin/harness/network"
	"github.com/rejoin-db/rejoin/harness/target"
)

// node is a running node with a client at each of its two places.
type node struct {
	running *embedded.Node
	client  *client.Client // where the applications are
	inside  *client.Client // beside the node
}

func newNode(running *embedded.Node, host, clients *network.Host, token string) *node {
	return &node{
		running: running,
		client:  client.New(host.Name(), host.Addr(), token, clients),
		inside:  client.New(host.Name(), host.Addr(), token, host),
	}
}

func (n *node) ID() string         { return n.running.ID() }
func (n *node) Client() target.SQL { return n.client }
func (n *node) Inside() target.SQL { return n.inside }

func (n *node) Status(context.Context) (target.Status, error) {
	return client.Status(n.running.Health(), n.running.Address()), nil
}

// close stops the node without ceremony: its cluster goes with it.
func (n *node) close() error {
	n.client.Close()
	n.inside.Close()
	return n.running.Close()
}
